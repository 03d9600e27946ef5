//! Options of `twolane dlq` and `twolane redrive`.

use crate::stack_args::DeployedArgs;
use crate::values::queue_parser;
use clap::Args;
use lanes::QueueSpec;
use twolane_client::order_file::parse_order_id;

/// Options of `twolane dlq`.
#[derive(Debug, Args)]
pub(crate) struct DlqArgs {
    /// Look only into the dead-letter queue of this queue. A step's queue has the step's name. Without it, all queues.
    #[arg(long, value_parser = queue_parser())]
    pub(crate) queue: Option<&'static QueueSpec>,
    /// Write only one JSON object per message.
    #[arg(long)]
    pub(crate) json: bool,
    /// Also show the messages' bodies: the orders, which may contain personal data.
    #[arg(long)]
    pub(crate) show_bodies: bool,
    /// Delete this message for good instead of showing messages. Use it for a message that would always fail,
    /// such as one that is not from the API. May be given several times.
    #[arg(long, value_name = "MESSAGE_ID", num_args = 1.., conflicts_with_all = ["json", "show_bodies", "limit"])]
    pub(crate) delete: Vec<String>,
    /// Maximum number of messages to show.
    #[arg(long, value_name = "MESSAGES", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) stack: DeployedArgs,
}

/// Options of `twolane redrive`.
#[derive(Debug, Args)]
pub(crate) struct RedriveArgs {
    /// Move only the messages of this queue. A step's queue has the step's name. Without it, of all queues.
    #[arg(long, value_parser = queue_parser())]
    pub(crate) queue: Option<&'static QueueSpec>,
    /// Move only the messages of this order. May be given several times.
    #[arg(long = "order", value_name = "ORDER_ID", num_args = 1.., value_parser = parse_order_id)]
    pub(crate) orders: Vec<String>,
    /// Messages to move per second, on average, to spare a database that has just recovered. Without it, as fast as SQS
    /// can.
    // The range of StartMessageMoveTask. Source: Amazon SQS API Reference.
    #[arg(long, value_name = "MESSAGES", value_parser = clap::value_parser!(i32).range(1..=500))]
    pub(crate) max_per_second: Option<i32>,
    /// How long to wait, after the move, until the orders have an outcome and the events are handled; 0 does not wait.
    /// A message that fails again is delivered five times first, which takes minutes.
    #[arg(long, value_name = "SECONDS", default_value_t = 900, value_parser = clap::value_parser!(u64).range(..=86_400))]
    pub(crate) timeout: u64,
    /// Write only one JSON object per message, when all have an outcome.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) stack: DeployedArgs,
}

/// The last part of `twolane dlq --help`.
pub(crate) const DLQ_HELP: &str = "\
A message moves to a dead-letter queue when all its deliveries failed. It stays there until 14 days \
after it was sent or redriven. `dlq` removes no message: it receives each one and releases it at once, \
which adds one to `received`. If `dlq` is killed, the messages it received stay hidden for two \
minutes.

Messages of the bus lane are events. `reason` says what such a message may leave undone, and the \
state of its order.

Examples:
  twolane dlq
  twolane dlq --queue stock
  twolane dlq --stack-name twolane --region eu-central-1
  twolane dlq --json | jq -r 'select(.status == \"FAILED\") | .orderId'
  twolane dlq --json --show-bodies --limit 1 | jq -r .body
  twolane dlq --delete 0c6a2b9e-7f1d-4a55-8a52-3f7d9e1b2c44

Exit code:
  0    shown, even if there is no message; or all deleted
  1    a message could not be deleted, or the result of deleting not written
  2    wrong usage, no stack, AWS refused, or the result could not be written
  130  interrupted by Ctrl-C (SIGINT)
  143  terminated (SIGTERM)

The stack is found by --stack-name or --outputs, else by TWOLANE_OUTPUTS, else by \
.local/outputs.json here or in a folder above. `dlq` reads its outputs OrdersTableName and the URLs \
of the queues and dead-letter queues. It uses your AWS configuration, including AWS_ENDPOINT_URL, or \
endpoint_url of the profile. It needs sqs:ReceiveMessage, sqs:ChangeMessageVisibility and \
sqs:GetQueueAttributes on the dead-letter queues, and dynamodb:BatchGetItem on the orders table; to \
delete, sqs:DeleteMessage.";

/// End of `twolane redrive --help`.
pub(crate) const REDRIVE_HELP: &str = "\
First fix what made the messages fail: a message that fails again returns to the dead-letter \
queue. A redrive loses no message and does nothing twice. A FAILED order of the async lane becomes \
CONFIRMED, once. A FAILED order of the bus lane becomes PLACED, and its steps vote.

A CONFIRMED or CANCELLED order keeps its status. Redriving its event completes what a step has not \
done yet, for example undoing a hold. Such an event counts as handled when its queue was empty and \
the event is not in the dead-letter queue again. A deadline counts at once. On a busy stack, where \
the queue is never empty, the command waits until --timeout and exits with 1. `twolane dlq` then \
shows whether the event failed again.

SQS itself moves the messages of the orders queue (StartMessageMoveTask). `redrive` moves events, and \
the messages of --order, in tens: it receives, sends and then deletes them. It moves all messages \
like that if the queue service has no such action. An interruption may leave a message in both \
queues, and loses none. A moved message has a new message id; its order id stays.

Examples:
  twolane redrive
  twolane redrive --queue stock
  twolane redrive --order 5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b
  twolane redrive --max-per-second 50 --stack-name twolane --region eu-central-1
  twolane redrive --json | jq -r 'select(.status != \"CONFIRMED\")'

Ctrl-C (SIGINT) and SIGTERM stop the move, or the wait, and show the results so far.

Exit code:
  0    every message was moved, and each of their orders is CONFIRMED, CANCELLED
       or REJECTED. The events of orders that were so before are handled. Or
       there was no message
  1    a message was not moved, not seen, failed again, is not an order, has no
       outcome yet, or is not known to be handled. Or the result could not be
       written: standard error names the file that has it
  2    wrong usage, no stack, or AWS refused: nothing was moved
  130  interrupted by Ctrl-C (SIGINT)
  143  terminated (SIGTERM)

The stack is found, and your AWS configuration used, as for `twolane dlq`. Besides the permissions of `dlq`, it \
needs sqs:StartMessageMoveTask, sqs:ListMessageMoveTasks, sqs:CancelMessageMoveTask and \
sqs:DeleteMessage on the dead-letter queues, and sqs:SendMessage and sqs:GetQueueAttributes on the \
queues. The queues' policies let only one role redrive: set the stack's parameter RedriveRoleArn.";
