//! Help, wrong usage and unreadable files.

use crate::server::{Server, answer};
use crate::{line, order, repository, twolane};

#[test]
fn shows_help_without_a_command() {
    let (_, _, shown) = twolane(&[]).run();

    assert!(shown.contains("Usage: twolane"), "{shown}");
    assert!(shown.contains("twolane order --lane async --file samples/orders.jsonl"), "{shown}");
}

#[test]
fn the_help_of_every_command_has_examples() {
    for command in ["order", "watch", "compare", "stock show", "account set"] {
        let arguments: Vec<_> = command.split(' ').chain(["--help"]).collect();
        let (code, help, _) = twolane(&arguments).run();

        assert_eq!(code, 0);
        for part in ["Examples:", "Exit code:", "--stack-name", "The stack is found"] {
            assert!(help.contains(part), "{command}: {help}");
        }
    }
}

#[test]
fn wraps_help_at_the_width_of_the_terminal() {
    for command in ["", "order", "watch", "dlq", "redrive", "stock", "account", "compare", "report", "token"] {
        for width in [80, 100] {
            let arguments: Vec<_> = command.split_whitespace().chain(["--help"]).collect();
            let (_, help, _) = twolane(&arguments).env("COLUMNS", &width.to_string()).run();

            let lines: Vec<_> = help.lines().collect();
            for (line, next) in lines.iter().zip(&lines[1..]) {
                // An order's body cannot be wrapped.
                let fits = line.chars().count() <= width || line.contains("\"unitPriceMinor\"");
                let word = next.split(' ').next().unwrap_or_default().chars().count();
                let is_paragraph = !line.starts_with(' ') && !line.ends_with(':') && !line.is_empty() && word > 0;
                let is_full = line.chars().count() + 1 + word > width;
                assert!(fits && (is_full || !is_paragraph), "{command} at {width}: {line}");
            }
        }
    }
}

#[test]
fn the_help_of_order_explains_interruptions_and_repeats() {
    let (_, help, _) = twolane(&["order", "--help"]).run();

    for part in ["  130  interrupted", "  143  terminated", "500, 502, 503 or 504"] {
        assert!(help.contains(part), "{part}: {help}");
    }
}

#[test]
fn a_wrong_option_is_wrong_usage() {
    let (code, stdout, stderr) = twolane(&["order", "--lane", "nowhere"]).run();

    assert_eq!((code, stdout.as_str()), (2, ""));
    let known = lanes::names().collect::<Vec<_>>().join(", ");
    assert!(stderr.contains(&format!("[possible values: {known}]")), "{stderr}");
}

#[test]
fn names_malformed_lines_by_number_and_sends_nothing() {
    let server = Server::start(|_, _| answer(500, ""));
    let lines = format!("{}not json\n{{\"name\":\"a b\",\"order\":{{}}}}\n", line(crate::ID));

    let (code, stdout, stderr) = order(&server, "sync", &lines, &[]).run();

    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("line 2: expected ident") && stderr.contains("line 3: a name is"), "{stderr}");
    assert!(server.requests().is_empty());
}

#[test]
fn a_file_that_is_missing_or_empty_is_wrong_usage() {
    let (missing, _, why) = twolane(&["order", "--lane", "sync", "--file", "none.jsonl"]).run();
    assert!(why.contains("error: Failed to read the orders in none.jsonl: No such file"), "{why}");

    let server = Server::start(|_, _| answer(500, ""));
    let (empty, _, why) = order(&server, "sync", " \n\n", &[]).run();
    assert!(why.contains("error: There are no orders in"), "{why}");

    assert_eq!((missing, empty), (2, 2));
}

#[test]
fn explains_how_to_turn_other_json_into_json_lines() {
    let server = Server::start(|_, _| answer(500, ""));
    let body = crate::BODY;
    for (text, expected) in [
        (
            format!("[\n  {{\"order\": {body}}}\n]"),
            "orders.jsonl is a JSON array, but must have one order per line. Convert it with `jq -c '.[]'`",
        ),
        (format!("[{body}]"), "`jq -c '.[] | {order: .}'`"),
        (format!("{{\n  \"order\": {body}\n}}"), "orders.jsonl has orders that span several lines"),
    ] {
        let (code, _, stderr) = order(&server, "sync", &text, &[]).run();

        assert_eq!(code, 2);
        assert!(stderr.starts_with("error: Nothing was sent: ") && stderr.contains(expected), "{stderr}");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn rejects_a_file_in_utf_16_and_names_the_encoding() {
    let server = Server::start(|_, _| answer(500, ""));
    let order = order(&server, "sync", "", &[]);
    let units = format!("\u{feff}{}", line(crate::ID)).encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    std::fs::write(order.folder.0.join("orders.jsonl"), units).expect("a temporary file");

    let (code, _, stderr) = { order }.run();

    assert_eq!(code, 2);
    assert!(stderr.contains("orders.jsonl is UTF-16LE") && stderr.contains("iconv -f UTF-16LE"), "{stderr}");
}

#[test]
fn rejects_an_invalid_order_id_with_an_example() {
    for arguments in [["watch", "--order", "{5f0c1b0e}"], ["redrive", "--order", "5f0c1b0e-6a54"]] {
        let (code, _, stderr) = twolane(&arguments).run();

        assert_eq!(code, 2);
        assert!(stderr.contains("must be a UUID such as 5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b"), "{stderr}");
    }
}

#[test]
fn reads_the_sample_orders() {
    let server = Server::start(|_, _| answer(503, ""));
    let samples = std::fs::read_to_string(repository().join("samples/orders.jsonl")).expect("the samples");

    let (code, stdout, stderr) = order(&server, "sync", &samples, &["--json"]).run();

    assert_eq!(code, 1, "{stderr}");
    assert_eq!(stdout.lines().count(), 13);
}
