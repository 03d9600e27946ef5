//! The file of orders to place: JSON lines.
//!
//! One order per line, blank lines are skipped:
//!
//! ```json
//! {"order":{"currency":"EUR","items":[{"sku":"SKU-1","quantity":2,"unitPriceMinor":1999}]}}
//! {"name":"espresso-machine","order":{"currency":"EUR","items":[…]}}
//! {"orderId":"5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b","order":{…}}
//! ```
//!
//! `order` is the request's body. Any JSON object is sent unchanged, byte for byte, so a file can hold invalid orders.
//! `name` labels an order. Lines with the same name share one order id, new in every run. `orderId`
//! fixes the id, in any spelling of RFC 9562; it is sent in lower case. A line with neither gets a new id in every run.

use crate::money::Money;
use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Deserializer, Map, Value};
use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::Path;
use uuid::Uuid;

/// Placed without a file.
const SAMPLE: &str = r#"{"name":"sample","order":{"currency":"EUR","items":[{"sku":"SKU-1","quantity":3,"unitPriceMinor":1999}],"note":"Placed by twolane"}}"#;

/// In characters.
const MAX_NAME_CHARS: usize = 32;

/// Most malformed lines in one error.
const MAX_LISTED: usize = 10;

/// An order to place.
#[derive(Clone, Debug)]
pub struct PlannedOrder {
    /// From 1.
    pub line: usize,
    /// The label.
    pub name: Option<String>,
    /// A UUID in lower case.
    pub order_id: String,
    /// Whether an earlier line has the same order id.
    pub is_repeat: bool,
    /// The request's body, as the file spells it.
    pub body: Box<RawValue>,
    /// The body's fields, only to compare orders. Of duplicate keys the last counts. Empty if the body exceeds the JSON
    /// library's limits.
    pub content: Map<String, Value>,
}

impl PlannedOrder {
    /// `None` if the order is not valid.
    #[must_use]
    pub fn total(&self) -> Option<Money> {
        let content = orders_api::parse_order_body(self.body.get().as_bytes()).ok()?;
        Some(Money { currency: content.currency().code().to_owned(), minor_units: content.total_minor_units() })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    order_id: Option<String>,
    name: Option<String>,
    order: Box<RawValue>,
}

/// For comparison only.
fn content(body: &RawValue) -> Map<String, Value> {
    serde_json::from_str(body.get()).unwrap_or_default()
}

/// Orders of a file, of standard input for `-`, or the sample order.
///
/// # Errors
/// The file cannot be read, has no orders or has malformed lines, which the error lists.
pub fn read(path: Option<&Path>) -> anyhow::Result<Vec<PlannedOrder>> {
    let (bytes, source) = match path {
        None => (SAMPLE.as_bytes().to_vec(), "the sample order".to_owned()),
        Some(path) if path.as_os_str() == "-" => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).context("Failed to read orders from standard input")?;
            (bytes, "standard input".to_owned())
        }
        Some(path) => {
            let source = path.display().to_string();
            (std::fs::read(path).with_context(|| format!("Failed to read the orders in {source}"))?, source)
        }
    };
    if let Some(encoding) = utf16(&bytes) {
        bail!(
            "Nothing was sent: {source} is {encoding}, but must be UTF-8. Convert it, for example with \
             `iconv -f {encoding} -t UTF-8`; in PowerShell, write it with `Out-File -Encoding utf8`"
        );
    }
    match parse(&bytes, Uuid::new_v4) {
        Ok(orders) if orders.is_empty() => bail!("There are no orders in {source}"),
        Ok(orders) => Ok(orders),
        Err(wrong) => {
            if let Some(why) = documents(&bytes) {
                bail!("Nothing was sent: {source} {why}");
            }
            let more = wrong.len().saturating_sub(MAX_LISTED);
            let mut listed: Vec<String> = wrong.into_iter().take(MAX_LISTED).collect();
            if more > 0 {
                listed.push(format!("and {more} more"));
            }
            bail!("Nothing was sent: {source} has malformed lines\n  {}", listed.join("\n  "))
        }
    }
}

/// Removes a byte order mark, which some editors write. Source: RFC 8259, section 8.1.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// A UTF-16 file begins with a byte order mark or, as JSON, with an ASCII character.
fn utf16(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, ..] | [1..=0x7f, 0, ..] => Some("UTF-16LE"),
        [0xfe, 0xff, ..] | [0, 1..=0x7f, ..] => Some("UTF-16BE"),
        _ => None,
    }
}

/// What a file has instead of an order per line, and how to convert it. `None` if it is not JSON.
fn documents(bytes: &[u8]) -> Option<String> {
    let documents = Deserializer::from_slice(without_mark(bytes)).into_iter::<Value>().collect::<Result<Vec<_>, _>>();
    let documents = documents.ok()?;
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
    // Wraps bare bodies into lines.
    let wrapped =
        |orders: &[Value]| if orders.iter().all(|order| order.get("order").is_some()) { "" } else { " | {order: .}" };
    match &documents[..] {
        [Value::Array(orders)] => {
            let make = format!(".[]{}", wrapped(orders));
            Some(format!("is a JSON array, but must have one order per line. Convert it with `jq -c '{make}'`"))
        }
        documents if documents.len() < lines && documents.iter().all(Value::is_object) => {
            let make = format!(".{}", wrapped(documents));
            Some(format!(
                "has orders that span several lines, but must have one order per line. Convert it with `jq -c '{make}'`"
            ))
        }
        _ => None,
    }
}

/// The error lists every malformed line.
fn parse(bytes: &[u8], mut new_id: impl FnMut() -> Uuid) -> Result<Vec<PlannedOrder>, Vec<String>> {
    let bytes = without_mark(bytes);
    let mut ids_by_name: HashMap<String, String> = HashMap::new();
    let mut orders: Vec<PlannedOrder> = Vec::new();
    let mut seen = HashSet::new();
    let mut wrong = Vec::new();
    for (index, bytes) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = index + 1;
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        match parse_line(bytes) {
            Err(why) => wrong.push(format!("line {line}: {why}")),
            Ok(Line { order_id, name, order }) => {
                let order_id = order_id.unwrap_or_else(|| match &name {
                    Some(name) => ids_by_name.entry(name.clone()).or_insert_with(|| new_id().to_string()).clone(),
                    None => new_id().to_string(),
                });
                let is_repeat = !seen.insert(order_id.clone());
                let content = content(&order);
                orders.push(PlannedOrder { line, name, order_id, is_repeat, body: order, content });
            }
        }
    }
    if wrong.is_empty() { Ok(orders) } else { Err(wrong) }
}

fn parse_line(bytes: &[u8]) -> Result<Line, String> {
    let line: Line = serde_json::from_slice(bytes).map_err(|error| {
        let text = error.to_string();
        // The parser sees one line, so its line number is always 1.
        let why = text.rsplit_once(" at line ").map_or(text.as_str(), |(why, _)| why);
        format!(
            "{why} (column {}); a line is {{\"order\":{{…}}}}, optionally with a name or an orderId",
            error.column()
        )
    })?;
    if !line.order.get().starts_with('{') {
        return Err("order must be a JSON object".to_owned());
    }
    if line.name.is_some() && line.order_id.is_some() {
        return Err("give it a name or an orderId, not both: each name has a separate order id".to_owned());
    }
    if let Some(name) = &line.name {
        let plain = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
        if !(1..=MAX_NAME_CHARS).contains(&name.len()) || !name.chars().all(plain) {
            return Err(format!("a name is 1 to {MAX_NAME_CHARS} letters, digits, dots, hyphens or underscores"));
        }
    }
    let order_id = line.order_id.as_deref().map(parse_order_id).transpose().map_err(|why| format!("orderId {why}"))?;
    Ok(Line { order_id, ..line })
}

/// Parses an order id: any case, with or without hyphens, in braces or as a URN. Returns it as the service writes it:
/// with hyphens, in lower case. Source: RFC 9562, section 4.
///
/// # Errors
/// What is expected.
pub fn parse_order_id(text: &str) -> Result<String, String> {
    let id = Uuid::try_parse(text);
    id.map(|id| id.to_string()).map_err(|_| "must be a UUID such as 5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b";

    fn parsed(text: &str) -> Result<Vec<PlannedOrder>, Vec<String>> {
        let mut count = 0;
        parse(text.as_bytes(), || {
            count += 1;
            Uuid::from_u128(count)
        })
    }

    #[test]
    fn lines_of_one_name_share_an_id_and_others_do_not() {
        let text = "{\"name\":\"a\",\"order\":{}}\n\n{\"order\":{}}\r\n{\"name\":\"a\",\"order\":{}}\n{\"order\":{}}\n";

        let orders = parsed(text).expect("all lines are valid");

        let ids: Vec<_> =
            orders.iter().map(|order| order.order_id.as_str().rsplit('0').next().expect("an id")).collect();
        assert_eq!(ids, ["1", "2", "1", "3"]);
        assert_eq!(orders.iter().map(|order| order.line).collect::<Vec<_>>(), [1, 3, 4, 5]);
        assert_eq!(orders.iter().map(|order| order.is_repeat).collect::<Vec<_>>(), [false, false, true, false]);
    }

    /// Spellings of [`ID`].
    fn spellings() -> [String; 6] {
        let [upper, simple] = [ID.to_uppercase(), ID.replace('-', "")];
        [
            format!("{{{upper}}}"),
            format!("urn:uuid:{ID}"),
            format!("URN:UUID:{upper}"),
            simple.to_uppercase(),
            upper,
            simple,
        ]
    }

    #[test]
    fn accepts_an_order_id_in_every_spelling_and_nothing_else() {
        for spelling in spellings() {
            assert_eq!(parse_order_id(&spelling).as_deref(), Ok(ID), "{spelling}");
        }
        for wrong in
            ["", "7", "5f0c1b0e", &format!(" {ID}"), &format!("{ID}0"), &format!("{{{ID}"), &format!("uuid:{ID}")]
        {
            assert!(parse_order_id(wrong).is_err_and(|why| why.starts_with("must be a UUID")), "{wrong}");
        }
    }

    #[test]
    fn spellings_of_one_id_are_one_order() {
        let text: String = spellings().map(|id| format!("{{\"orderId\":\"{id}\",\"order\":{{}}}}\n")).concat();

        let orders = parsed(&text).expect("the lines are valid");

        assert!(orders.iter().all(|order| order.order_id == ID), "{orders:?}");
        assert!(orders.iter().skip(1).all(|order| order.is_repeat), "{orders:?}");
    }

    #[test]
    fn detects_utf_16_by_the_byte_order_mark_or_zeros() {
        let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        let little = |text| units(text).iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<_>>();
        let big = |text| units(text).iter().flat_map(|unit| unit.to_be_bytes()).collect::<Vec<_>>();

        for text in ["\u{feff}{}", "{}", "\u{feff}"] {
            assert_eq!((utf16(&little(text)), utf16(&big(text))), (Some("UTF-16LE"), Some("UTF-16BE")), "{text}");
        }
        for text in ["", "{", "\u{feff}{}", "{\"order\":{}}"] {
            assert_eq!(utf16(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn says_how_to_convert_other_json_to_lines() {
        for (text, expected) in [
            ("[{\"order\":{}}]", Some("jq -c '.[]'")),
            ("\u{feff} [\n{\"currency\":\"EUR\"}]", Some("jq -c '.[] | {order: .}'")),
            ("{\n  \"order\": {}\n}\n{\"order\":{}}", Some("jq -c '.'")),
            ("{\n  \"currency\": \"EUR\"\n}\n", Some("jq -c '. | {order: .}'")),
            ("{\"currency\":\"EUR\"}\n", None),
            ("{", None),
        ] {
            let why = documents(text.as_bytes());
            assert_eq!(why.is_some(), expected.is_some(), "{text}: {why:?}");
            assert!(why.unwrap_or_default().contains(expected.unwrap_or_default()), "{text}");
        }
    }

    #[test]
    fn reports_every_malformed_line_with_its_number() {
        let text = format!(
            "{{\"order\":{{}}}}\n{{\n{{\"currency\":\"EUR\"}}\n{{\"order\":[]}}\n{{\"orderId\":\"x\",\"order\":{{}}}}\n\
             {{\"orderId\":\"{ID}\",\"name\":\"a\",\"order\":{{}}}}\n{{\"name\":\"a b\",\"order\":{{}}}}"
        );

        let wrong = parsed(&text).expect_err("six lines are malformed");

        let starts = [
            "line 2: EOF while parsing an object (column 1)",
            "line 3: unknown field `currency`, expected one of `orderId`, `name`, `order` (column 11)",
            "line 4: order must be a JSON object",
            "line 5: orderId must be a UUID",
            "line 6: give it a name or an orderId, not both",
            "line 7: a name is 1 to 32",
        ];
        assert_eq!(wrong.len(), starts.len(), "{wrong:?}");
        for (line, start) in wrong.iter().zip(starts) {
            assert!(line.starts_with(start), "{line}");
        }
    }

    #[test]
    fn keeps_the_bytes_of_an_order_and_reads_what_it_can() {
        let text = "{\"order\" : {\"b\":1, \"a\":2.0,\"b\":3 } }\r\n{\"order\":{\"a\":1e400}}";

        let orders = parsed(text).expect("the lines are valid");

        let bodies: Vec<_> = orders.iter().map(|order| order.body.get()).collect();
        assert_eq!(bodies, ["{\"b\":1, \"a\":2.0,\"b\":3 }", "{\"a\":1e400}"]);
        let contents: Vec<_> = orders.iter().map(|order| Value::from(order.content.clone())).collect();
        assert_eq!(contents, [serde_json::json!({"a": 2.0, "b": 3}), serde_json::json!({})]);
    }

    #[test]
    fn the_sample_order_is_valid() {
        let orders = parsed(SAMPLE).expect("the sample is one valid line");

        assert_eq!(orders[0].total(), Some(Money { currency: "EUR".to_owned(), minor_units: 5997 }));
    }

    #[test]
    fn an_invalid_order_has_no_total() {
        let orders = parsed(r#"{"order":{"currency":"ABC","items":[]}}"#).expect("the line is valid");

        assert_eq!(orders[0].total(), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in any::<Vec<u8>>()) {
            let _ = parse(&bytes, Uuid::new_v4);
            let _ = (utf16(&bytes), documents(&bytes));
        }

        #[test]
        fn no_names_and_ids_make_the_parser_panic(name in any::<String>(), id in any::<String>()) {
            let text = serde_json::json!({"name": name, "order": {}}).to_string();
            let _ = parse(text.as_bytes(), Uuid::new_v4);
            let _ = parse_order_id(&id);
        }
    }
}
