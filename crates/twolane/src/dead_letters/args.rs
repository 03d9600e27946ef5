//! What can be typed after `twolane dlq` and `twolane redrive`.

use crate::stack_args::DeployedArgs;
use crate::values::queue_parser;
use clap::Args;
use lanes::QueueSpec;
use twolane_client::order_file::parse_order_id;

/// Options of `twolane dlq`.
#[derive(Debug, Args)]
pub(crate) struct DlqArgs {
    /// Only the dead-letter queue of this queue. A step's queue has the step's name. Without it, all that the stack has.
    #[arg(long, value_parser = queue_parser())]
    pub(crate) queue: Option<&'static QueueSpec>,
    /// Write one JSON object per message, and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
    /// Show the messages' bodies too: what was ordered, which may be personal data.
    #[arg(long)]
    pub(crate) show_bodies: bool,
    /// Delete this message for good, instead of showing any: one that is not from the API can never be done. May be
    /// given several times.
    #[arg(long, value_name = "MESSAGE_ID", num_args = 1.., conflicts_with_all = ["json", "show_bodies", "limit"])]
    pub(crate) delete: Vec<String>,
    /// Messages to show at most.
    #[arg(long, value_name = "MESSAGES", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) stack: DeployedArgs,
}

/// Options of `twolane redrive`.
#[derive(Debug, Args)]
pub(crate) struct RedriveArgs {
    /// Move only the messages of this queue. A step's queue has the step's name. Without it, of all queues that the stack has.
    #[arg(long, value_parser = queue_parser())]
    pub(crate) queue: Option<&'static QueueSpec>,
    /// Move only the messages of this order. May be given several times.
    #[arg(long = "order", value_name = "ORDER_ID", num_args = 1.., value_parser = parse_order_id)]
    pub(crate) orders: Vec<String>,
    /// Messages to move per second, on average, to spare a database that has just recovered; as fast as SQS
    /// can without it.
    // The range of StartMessageMoveTask. Source: Amazon SQS API Reference.
    #[arg(long, value_name = "MESSAGES", value_parser = clap::value_parser!(i32).range(1..=500))]
    pub(crate) max_per_second: Option<i32>,
    /// How long to wait until the orders have an outcome and the events are handled, once the messages are moved; 0 does not wait.
    /// What fails again passes through all deliveries once more, which takes minutes.
    #[arg(long, value_name = "SECONDS", default_value_t = 900, value_parser = clap::value_parser!(u64).range(..=86_400))]
    pub(crate) timeout: u64,
    /// Write one JSON object per message, once all have an outcome, and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) stack: DeployedArgs,
}

/// What `twolane dlq --help` ends with.
pub(crate) const DLQ_HELP: &str = "\
A message comes here when it failed all its deliveries, and stays until 14 days after it was first \
sent. Looking takes nothing away: each message is held for a moment and released, which counts as \
one more time that it was received. A look that is killed holds what it has seen for two minutes.

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
  0    shown, also when there is nothing; or all deleted
  1    some message could not be deleted, or that could not be written
  2    wrong usage, no stack, AWS refused, or the result could not be written
  130  interrupted by Ctrl-C (SIGINT)
  143  terminated (SIGTERM)

The stack is found by --stack-name or --outputs, else by TWOLANE_OUTPUTS, else by \
.local/outputs.json here or in a folder above; its outputs OrdersTableName and the URLs of the \
queues and dead-letter queues are read. AWS is asked as your AWS configuration says: \
AWS_ENDPOINT_URL, or endpoint_url of the profile, included. It takes sqs:ReceiveMessage, \
sqs:ChangeMessageVisibility and sqs:GetQueueAttributes on the dead-letter queues, and \
dynamodb:BatchGetItem on the orders table; to delete, sqs:DeleteMessage.";

/// What `twolane redrive --help` ends with.
pub(crate) const REDRIVE_HELP: &str = "\
Fix what made the messages fail first; what fails again comes back to the dead-letter queue. \
Nothing is lost by trying, and nothing is done twice. A FAILED order of the async lane becomes \
CONFIRMED, once. A FAILED order of the bus lane becomes PLACED, and its steps vote.

An order that is CONFIRMED or CANCELLED stays so. Redriving an event of it does what a step has \
not done yet, such as to undo what it still holds. Such an event is handled when its queue was seen \
empty and the event is not in the dead-letter queue again. On a busy stack, where the queue is \
never empty, the command waits until --timeout and exits with 1: `twolane dlq` then shows whether \
it failed again.

SQS itself moves all messages of the orders queue (StartMessageMoveTask). Those of --order, all \
where the queue service has no such action, and events, some of which may come from the topic's \
subscription, are received, sent and deleted in tens, in this order. An interruption may leave a \
message in both queues, and loses none. A message that was moved has a new message id; its order \
id stays.

Examples:
  twolane redrive
  twolane redrive --queue stock
  twolane redrive --order 5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b
  twolane redrive --max-per-second 50 --stack-name twolane --region eu-central-1
  twolane redrive --json | jq -r 'select(.status != \"CONFIRMED\")'

Ctrl-C (SIGINT) and SIGTERM stop the moving, or the waiting, and show how far it got.

Exit code:
  0    every message was moved, every order of theirs is CONFIRMED, CANCELLED or
       REJECTED, and every event of an order that was so before is handled; or
       there was no message
  1    some message was not moved, not seen, failed again, is no order, has no
       outcome yet, or is not known to be handled; or the result could not be
       written, and is in a file that standard error names
  2    wrong usage, no stack, or AWS refused: nothing was moved
  130  interrupted by Ctrl-C (SIGINT)
  143  terminated (SIGTERM)

The stack is found, and AWS asked, as for `twolane dlq`. Besides, it takes \
sqs:StartMessageMoveTask, sqs:ListMessageMoveTasks, sqs:CancelMessageMoveTask and \
sqs:DeleteMessage on the dead-letter queues, and sqs:SendMessage and sqs:GetQueueAttributes on \
the queues, whose policies name who may send: the stack's parameter RedriveRoleArn.";
