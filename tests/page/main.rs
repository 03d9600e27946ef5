//! The page in a real browser, served by `twolane page` in front of a deployed stack.
//!
//! The stack must allow pages of `http://localhost:3000`, as a local one does. Screenshots are in the target folder,
//! under `tmp/page`. `UPDATE_DOCS=1` copies those of a burst to `docs/images`.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped is what the test is about; the place says enough")]
#![expect(clippy::print_stdout, reason = "how long clicks took is for people: it depends on the machine")]

use serde_json::{Value, json};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use testkit::{
    command_line::command,
    node::{local_tool, search_path},
    order_bodies::{new_id, order_in},
    outputs::output,
    repository::root,
    stack::{Stack, sdk_config},
    tokens::token,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, Command},
    sync::{Mutex, MutexGuard},
};

/// Most bus orders of a script, each of one unit of `SKU-1` at EUR 19.99.
const BUS_ORDERS: u32 = 60;

/// The stack allows pages of one port, and one page is busy enough for a small machine.
static PORT: Mutex<()> = Mutex::const_new(());

/// Ends when this is dropped.
struct Page {
    process: Child,
    url: String,
    folder: PathBuf,
    token: String,
    #[expect(dead_code, reason = "it is held until the page ends")]
    port: MutexGuard<'static, ()>,
}

impl Page {
    /// Serves the page to that user. Files of the test `name` go to an empty folder of that name.
    async fn open_for(owner: &str, name: &str) -> Self {
        let port = PORT.lock().await;
        let token = token(owner);
        let (process, url) = serve(&["page", "--no-browser"], &token).await;
        Self { process, url, folder: fresh_folder(name), token, port }
    }

    /// Runs a script of this folder in a browser, with these settings too. Returns its output.
    ///
    /// # Panics
    /// When it fails.
    async fn run(&self, script: &str, more: Value) -> String {
        let mut settings = json!({
            "browser": local_tool(&["browser"]),
            "url": self.url,
            "apiUrl": output("ApiUrl"),
            "folder": self.folder,
            "token": self.token,
        });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut node = Command::new("node");
        node.arg(script).arg(settings.to_string()).current_dir(root().join("tests/page")).env("PATH", search_path());
        let ran = node.kill_on_drop(true).output().await.unwrap();
        let (printed, errors) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert!(ran.status.success(), "{script}:\n{printed}\n{errors}\nScreenshots: {}", self.folder.display());
        printed.into_owned()
    }

    /// Returns the output after its address.
    async fn end(mut self) -> String {
        self.process.start_kill().unwrap();
        let mut printed = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut printed).await.unwrap();
        printed
    }
}

/// Waits until the process has ended: the next test serves its page on the same port.
impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.process.start_kill();
        let started = Instant::now();
        while matches!(self.process.try_wait(), Ok(None)) && started.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// `twolane` with those arguments, and its address.
async fn serve(arguments: &[&str], token: &str) -> (Child, String) {
    let mut twolane = command(arguments);
    let mut process =
        twolane.env("TWOLANE_TOKEN", token).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let url = BufReader::new(process.stdout.take().unwrap()).lines().next_line().await.unwrap();
    match url {
        Some(url) => (process, url),
        None => panic!("{:?}", process.wait_with_output().await),
    }
}

/// Empty, in the target folder.
fn fresh_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A user with the money for `BUS_ORDERS`; the units are in stock.
async fn customer() -> String {
    let owner = format!("page-{}", new_id());
    Stack::from_env().await.supply(&owner, &order_in("EUR", &[("SKU-1", BUS_ORDERS, 1999)])).await;
    owner
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let of = |entry: fs::DirEntry| match entry.file_type().unwrap() {
        kind if kind.is_dir() => files(&entry.path()),
        kind if kind.is_file() => vec![entry.path()],
        _ => Vec::new(),
    };
    entries.flat_map(of).collect()
}

#[tokio::test]
async fn orders_race_down_every_lane_and_the_token_is_kept_nowhere() {
    let page = Page::open_for(&customer().await, "race").await;
    let report = root().join("crates/twolane-report/tests/reports/version-2.json");

    page.run("race.mjs", json!({"report": report})).await;

    let (token, profile) = (page.token.clone(), files(&page.folder.join("profile")));
    assert!(profile.len() > 10, "the browser's profile: {profile:?}");
    let has_token =
        |path: &&PathBuf| fs::read(path).unwrap().windows(token.len()).any(|bytes| bytes == token.as_bytes());
    assert_eq!(profile.iter().find(has_token), None, "a file of the browser has the token");
    assert!(!page.end().await.contains(&token), "twolane page logs the token");
}

#[tokio::test]
async fn a_burst_is_refused_in_part_by_the_sync_lane_and_drains_from_the_queues() {
    let page = Page::open_for(&customer().await, "burst").await;
    let folder = page.folder.clone();
    let lambda = aws_sdk_lambda::Client::new(&sdk_config().await);
    let function = output("CreateOrderFunctionName");
    let limit = lambda.put_function_concurrency().function_name(function).reserved_concurrent_executions(1);
    limit.send().await.expect("create-order may run once at a time");

    let ran = tokio::spawn(async move { page.run("burst.mjs", json!({})).await }).await;

    let unlimited = lambda.delete_function_concurrency().function_name(function).send().await;
    unlimited.expect("the limit is removed, for the other tests");
    ran.unwrap();
    if env::var_os("UPDATE_DOCS").is_some() {
        for picture in ["page-burst-light.png", "page-burst-dark.png"] {
            fs::copy(folder.join(picture), root().join("docs/images").join(picture)).unwrap();
        }
    }
}

#[tokio::test]
async fn a_cut_of_the_network_loses_no_outcome_and_none_counts_twice() {
    let page = Page::open_for(&customer().await, "cut").await;

    page.run("cut.mjs", json!({})).await;
}

#[tokio::test]
async fn a_token_is_renewed_when_it_is_refused_and_before_it_expires() {
    let owner = customer().await;
    let page = Page::open_for(&owner, "renewal").await;
    let twolane = command(&[]).as_std().get_program().to_str().unwrap().to_owned();

    page.run("renewal.mjs", json!({"twolane": twolane, "subject": owner})).await;
}

#[tokio::test]
async fn a_page_of_another_origin_gets_neither_orders_nor_a_token() {
    let page = Page::open_for(&customer().await, "strangers").await;
    let (_stranger, url) = serve(&["page", "--no-browser", "--port", "0"], &page.token).await;

    page.run("strangers.mjs", json!({"stranger": url})).await;
}

#[tokio::test]
async fn thousands_of_orders_in_one_session_leave_no_memory_behind() {
    let page = Page::open_for(&customer().await, "many").await;

    let printed = page.run("many.mjs", json!({})).await;

    println!("{printed}");
}
