//! Subjects: a bootstrap, its events and its environment.

use crate::backend::Backend;
use crate::events::{self, BATCH, DECISION, PING, STEP_BATCH, VOTE, WHOLE_BATCH};
use crate::template::Template;
use crate::token;
use anyhow::{Context, bail};
use hyper::body::Bytes;
use std::fs;
use std::path::Path;

#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) command: Vec<String>,
    /// Sent in turn.
    pub(crate) events: Vec<Bytes>,
    /// Orders per event: more than one in a batch.
    pub(crate) orders: u32,
    pub(crate) kind: Kind,
    /// Its environment variables in `template.yaml` apply.
    function: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A base for ratios.
    Floor,
    /// Of the project.
    Function,
    /// From the command line.
    Peer,
}

pub(crate) const HELLO_FLOOR: &str = "hello-floor";

/// The smallest function that makes one AWS SDK call. Bounds are ratios to it.
pub(crate) const SDK_FLOOR: &str = "sdk-floor";

/// Also measured with another event: the subject, the function, and the orders in one event.
const VARIANTS: [(&str, &str, usize); 5] = [
    (PING, "manage-connections", 1),
    (WHOLE_BATCH, "process-orders", BATCH),
    (STEP_BATCH, "reserve-stock", BATCH),
    (VOTE, "settle-order", 1),
    (DECISION, "settle-order", 1),
];

/// The floors and the project's functions. cargo-lambda writes each bootstrap to `folder/NAME/bootstrap`.
///
/// # Errors
/// A bootstrap is missing.
pub(crate) fn of_project(folder: &Path) -> anyhow::Result<Vec<Subject>> {
    // The floors get create-order's event, because they need one.
    let floor = |name| {
        let subject = subject(folder, name, "create-order", events::of("create-order")?)?;
        anyhow::Ok(Subject { kind: Kind::Floor, ..subject })
    };
    let mut subjects = vec![floor(HELLO_FLOOR)?, floor(SDK_FLOOR)?];
    for name in functions()? {
        subjects.push(subject(folder, &name, &name, events::of(&name)?)?);
    }
    for (name, function, orders) in VARIANTS {
        let subject = subject(folder, function, function, events::of(name)?)?;
        subjects.push(Subject { name: name.to_owned(), orders: u32::try_from(orders)?, ..subject });
    }
    Ok(subjects)
}

/// The folders in `functions/`, sorted. settle-order is measured with the submission of an order.
///
/// # Errors
/// The folder cannot be read.
pub(crate) fn functions() -> anyhow::Result<Vec<String>> {
    let folders = fs::read_dir(events::FUNCTIONS).with_context(|| format!("Failed to read {}", events::FUNCTIONS))?;
    let folders = folders.collect::<Result<Vec<_>, _>>()?;
    let packages = folders.iter().filter(|folder| folder.path().join("Cargo.toml").is_file());
    let mut names: Vec<_> = packages.map(|folder| folder.file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
pub(crate) fn names() -> Vec<String> {
    let functions = functions().expect("the project has functions").into_iter();
    functions.chain(VARIANTS.map(|(name, ..)| name.to_owned())).collect()
}

/// The floors, the functions with `only` in their names, and the peers.
///
/// # Errors
/// No function's name contains `only`, and there is no peer.
pub(crate) fn chosen(project: Vec<Subject>, only: Option<&str>, peers: &[Subject]) -> anyhow::Result<Vec<Subject>> {
    let (mut chosen, functions): (Vec<_>, Vec<_>) = project.into_iter().partition(|one| one.kind == Kind::Floor);
    let names: Vec<_> = functions.iter().map(|one| one.name.clone()).collect();
    let floors = chosen.len();
    chosen.extend(functions.into_iter().filter(|one| only.is_none_or(|only| one.name.contains(only))));
    chosen.extend(peers.iter().cloned());
    if chosen.len() == floors {
        bail!("No function has {:?} in its name; the functions are {}", only.unwrap_or_default(), names.join(", "));
    }
    Ok(chosen)
}

fn subject(folder: &Path, program: &str, function: &str, events: Vec<Bytes>) -> anyhow::Result<Subject> {
    let path = folder.join(program).join("bootstrap");
    anyhow::ensure!(path.is_file(), "{} is missing: run `make bench`, which builds it", path.display());
    let command = vec![path.to_string_lossy().into_owned()];
    let (name, function) = (program.to_owned(), function.to_owned());
    Ok(Subject { name, command, events, orders: 1, kind: Kind::Function, function })
}

/// A bootstrap from `NAME=COMMAND` or `NAME=COMMAND@EVENTFILE`. Spaces separate the command's words. The environment
/// and the default event are create-order's.
///
/// # Errors
/// The text does not have that form, or the event cannot be read.
pub(crate) fn peer(text: &str) -> anyhow::Result<Subject> {
    let form = || format!("{text} is not NAME=COMMAND or NAME=COMMAND@EVENTFILE");
    let (name, rest) = text.split_once('=').with_context(form)?;
    let (command, event) = match rest.split_once('@') {
        Some((command, file)) => {
            let event = fs::read(file).with_context(|| format!("Failed to read the event {file}"))?;
            (command, Bytes::from(event))
        }
        None => (rest, events::create_order()),
    };
    let command: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    anyhow::ensure!(!name.is_empty() && !command.is_empty(), form());
    let (name, events, function) = (name.to_owned(), vec![event], "create-order".to_owned());
    Ok(Subject { name, command, events, orders: 1, kind: Kind::Peer, function })
}

/// With an order of `items` items.
///
/// # Errors
/// Its bootstrap is missing.
pub(crate) fn create_order(folder: &Path, items: usize) -> anyhow::Result<Subject> {
    subject(folder, "create-order", "create-order", vec![events::order_of(items)?])
}

/// With `count` whole batches. Each message has a different owner.
///
/// # Errors
/// Its bootstrap is missing.
pub(crate) fn whole_batches(folder: &Path, count: usize) -> anyhow::Result<Subject> {
    let subject = subject(folder, "process-orders", "process-orders", events::queued_orders(BATCH, count)?)?;
    Ok(Subject { name: WHOLE_BATCH.to_owned(), orders: u32::try_from(BATCH)?, ..subject })
}

impl Subject {
    /// With new order ids.
    pub(crate) fn event(&self, invocation: u32) -> Bytes {
        events::with_new_ids(&self.events[invocation as usize % self.events.len()])
    }

    /// The variables that Lambda would set on a local stack. `backend` stands in for AWS.
    ///
    /// # Errors
    /// A variable of the template cannot be evaluated, or `backend`'s certificate cannot be written to `folder`.
    pub(crate) fn environment(
        &self,
        runtime_api: &str,
        backend: &Backend,
        folder: &Path,
    ) -> anyhow::Result<Vec<(String, String)>> {
        let aws = backend.url();
        // Then records have every attribute.
        let expire = ("OrderRetentionDays", "30".to_owned());
        let template = Template::with(token::parameters().into_iter().chain([expire, ("LocalEndpoint", aws.clone())]));
        let memory = template.text(template.property(&self.function, "MemorySize"))?.unwrap_or_default();
        let of_lambda = [
            ("AWS_LAMBDA_RUNTIME_API", runtime_api),
            ("AWS_LAMBDA_FUNCTION_NAME", &self.name),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
            ("AWS_LAMBDA_LOG_LEVEL", "INFO"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_DEFAULT_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", "token"),
            ("AWS_ENDPOINT_URL", &aws),
        ];
        let mut variables = template.environment(&self.function)?;
        variables.extend(of_lambda.map(|(name, value)| (name.to_owned(), value.to_owned())));
        if let Some(authority) = backend.authority() {
            let file = folder.join("authority.pem");
            fs::write(&file, authority).with_context(|| format!("Failed to write {}", file.display()))?;
            // Read by AWS's SDKs, OpenSSL and Node.
            let names = ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"];
            variables.extend(names.map(|name| (name.to_owned(), file.to_string_lossy().into_owned())));
        }
        Ok(variables)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_batch_is_as_large_as_the_template_allows() {
        let template = Template::with([]);

        for function in ["process-orders", "reserve-stock"] {
            let sources = template.property(function, "Events").as_mapping().expect("the function has sources");
            for (name, source) in sources {
                assert_eq!(source["Properties"]["BatchSize"], BATCH, "{name:?} of {function}");
            }
        }
    }

    #[test]
    fn every_function_of_the_project_has_an_event() {
        for name in names() {
            assert!(events::of(&name).is_ok_and(|events| !events.is_empty()), "{name}");
        }
    }

    #[test]
    fn a_peer_is_a_name_and_a_command() {
        let subject = peer("node=node index.mjs").expect("it has the form");

        assert_eq!((subject.name.as_str(), subject.command), ("node", vec!["node".to_owned(), "index.mjs".to_owned()]));
        for wrong in ["node", "=node", "node="] {
            assert!(peer(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn refuses_a_name_that_no_function_has() {
        let peer = peer("node=node index.mjs").expect("it has the form");
        let project = || {
            let named = |name: &str, kind| Subject { name: name.to_owned(), kind, ..peer.clone() };
            vec![
                named(SDK_FLOOR, Kind::Floor),
                named("create-order", Kind::Function),
                named("get-order", Kind::Function),
            ]
        };
        let names = |only, peers: &[Subject]| -> anyhow::Result<Vec<String>> {
            Ok(chosen(project(), only, peers)?.into_iter().map(|subject| subject.name).collect())
        };

        assert_eq!(names(None, &[]).expect("all"), [SDK_FLOOR, "create-order", "get-order"]);
        assert_eq!(names(Some("create"), &[]).expect("one"), [SDK_FLOOR, "create-order"]);
        assert_eq!(names(Some("none"), std::slice::from_ref(&peer)).expect("the peer"), [SDK_FLOOR, "node"]);
        let refused = names(Some("creat-order"), &[]).expect_err("no function").to_string();
        assert!(refused.contains("\"creat-order\"") && refused.contains("get-order"), "{refused}");
    }
}
