//! Bodies that a lane could alter, store in part or fail on, with the expected outcome.

use crate::order_bodies::order_of;
use orders_api::MAX_BODY_BYTES;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName};

/// The expected outcome of a body.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// An order, and stored.
    Taken,
    /// Refused with that status; in the async lane by the edge, or later by the worker.
    Refused(u16),
    /// Two faults: the sync lane refuses it with the first status, the async lane with the second.
    RefusedAs(u16, u16),
}

/// A body to send.
pub struct Case {
    /// What is unusual.
    pub name: &'static str,
    /// The body.
    pub body: Vec<u8>,
    /// Its expected outcome.
    pub verdict: Verdict,
    /// Its headers.
    pub headers: Vec<(HeaderName, &'static str)>,
}

/// A body of `application/json`.
pub fn case(name: &'static str, body: impl Into<Vec<u8>>, verdict: Verdict) -> Case {
    Case { name, body: body.into(), verdict, headers: vec![(CONTENT_TYPE, "application/json")] }
}

/// With that JSON string literal as its note.
fn noted(literal: &str) -> String {
    format!(r#"{{"currency":"EUR","items":[{{"sku":"SKU-1","quantity":2,"unitPriceMinor":1999}}],"note":"{literal}"}}"#)
}

/// With white space up to that size.
fn padded(bytes: usize) -> String {
    let order = order_of("SKU-1").to_string();
    let white_space = " ".repeat(bytes - order.len());
    order + &white_space
}

/// The longest note of characters of four bytes, and white space up to that size.
fn padded_with_emoji(bytes: usize) -> String {
    let order = noted(&"😀".repeat(500));
    let white_space = " ".repeat(bytes - order.len());
    order + &white_space
}

fn bytes_in_note(bytes: &[u8]) -> Vec<u8> {
    let (start, end) = (noted("@").into_bytes(), b'@');
    start.into_iter().flat_map(|byte| if byte == end { bytes.to_vec() } else { vec![byte] }).collect()
}

fn utf16(text: &str) -> Vec<u8> {
    [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

/// Add new groups here.
pub fn all() -> Vec<Case> {
    [form_characters(), damaged_text(), not_orders(), large_ones(), odd_headers()].into_iter().flatten().collect()
}

/// Special in forms, templates and JSON.
pub fn form_characters() -> Vec<Case> {
    use Verdict::Taken;
    let controls: Vec<_> = (0..0x20).chain([0x7F]).map(|code| format!("\\u{code:04x}")).collect();
    let printable: String = (' '..='~').filter(|character| !matches!(character, '"' | '\\')).collect();
    vec![
        case("ampersands", noted("a&b&&c"), Taken),
        case("another field", noted("&DelaySeconds=900"), Taken),
        case("another queue", noted("&QueueUrl=https://sqs.example.com/1/evil&Action=PurgeQueue"), Taken),
        case("another owner", noted("&MessageAttribute.2.Value.StringValue=mallory&MessageBody={}"), Taken),
        case("percent signs", noted("100%, %26, %0A, %zz, %"), Taken),
        case("plus signs and spaces", noted("1+1 = 2 +  3"), Taken),
        case("equals signs and semicolons", noted("a=b;c==d;"), Taken),
        case("escaped quotes and backslashes", noted(r#"\"'\\\/`"#), Taken),
        case("escaped newlines and tabs", noted(r"a\nb\r\nc\td"), Taken),
        case("every printable character", noted(&printable), Taken),
        case("every control character, escaped", noted(&controls.concat()), Taken),
        case("a template's own language", noted("$input.body ${x} #set($a=1) #end $util.urlEncode('x')"), Taken),
        case("markup", noted("<script>alert(1)</script><![CDATA[x]]>&amp;&lt;"), Taken),
        case("emoji and other planes", noted("😀👩‍👩‍👧‍👦 𝄞 Ünïcödé 漢字 עברית \u{10FFFD} \u{1FFFE}"), Taken),
        case("emoji, escaped", noted(r"\uD83D\uDE00"), Taken),
        case("line separators and a zero-width space", noted("a\u{2028}b\u{2029}c\u{200B}\u{85}\u{7F}"), Taken),
        case("combining characters, not normalized", noted("e\u{301} é ﬁ"), Taken),
        case("white space around", format!(" \r\n\t{}\t\r\n ", noted("x")), Taken),
        case("white space within", noted("x").replace(',', " ,\r\n\t").replace(':', "\n:\n"), Taken),
        case(
            "fields in another order",
            r#"{"note":"","items":[{"quantity":1,"unitPriceMinor":0,"sku":"a"}],"currency":"EUR"}"#,
            Taken,
        ),
        case("escaped field names", noted("x").replace("note", r"\u006eote").replace("sku", r"s\u006bu"), Taken),
    ]
}

/// Not text, or text that a queue does not carry.
pub fn damaged_text() -> Vec<Case> {
    use Verdict::Refused;
    vec![
        case("invalid UTF-8", bytes_in_note(b"a\xFFb"), Refused(400)),
        case("Latin-1", bytes_in_note(b"caf\xE9"), Refused(400)),
        case("cut UTF-8", bytes_in_note(b"\xF0\x9F\x98"), Refused(400)),
        case("an overlong encoding", bytes_in_note(b"\xC0\xAF"), Refused(400)),
        case("a surrogate in UTF-8", bytes_in_note(b"\xED\xA0\x80"), Refused(400)),
        case("UTF-16", utf16(&noted("x")), Refused(400)),
        case("a byte order mark", format!("\u{FEFF}{}", noted("x")), Refused(400)),
        case("U+FFFD", noted("a\u{FFFD}"), Refused(400)),
        case("U+FFFE", noted("a\u{FFFE}"), Refused(400)),
        case("U+FFFF", noted("\u{FFFF}a"), Refused(400)),
        case("U+FFFD, escaped", noted(r"\uFFFD"), Refused(400)),
        case("U+FFFE, escaped", noted(r"\uFFFE"), Refused(400)),
        case("U+FFFF, escaped", noted(r"a\uffffb"), Refused(400)),
        case("half a surrogate pair", noted(r"\ud83d"), Refused(400)),
        case("a raw newline in a string", noted("a\nb"), Refused(400)),
        case("a raw NUL in a string", noted("a\0b"), Refused(400)),
        case("a raw U+FFFE outside", format!("{}\u{FFFE}", noted("x")), Refused(400)),
        case("a raw control character outside", format!("{}\u{1}", noted("x")), Refused(400)),
        case("duplicate fields", noted("x").replacen('{', r#"{"currency":"USD","note":7,"#, 1), Refused(400)),
    ]
}

/// Bodies that are not orders.
pub fn not_orders() -> Vec<Case> {
    use Verdict::Refused;
    let quantity = |number: &str| noted("x").replace(":2,", &format!(":{number},"));
    let mut cases = vec![
        case("nothing", "", Refused(400)),
        case("white space", " \n", Refused(400)),
        case("a form", "currency=EUR&items=1", Refused(400)),
        case("two orders", noted("x").repeat(2), Refused(400)),
        case("an unclosed order", noted("x").trim_end_matches('}'), Refused(400)),
        case("a comment", format!("{}//x", noted("x")), Refused(400)),
        case("single quotes", noted("x").replace('"', "'"), Refused(400)),
        case("a trailing comma", noted("x").replace("\"note\":\"x\"", "\"note\":\"x\","), Refused(400)),
        case("deep nesting", "[".repeat(100_000), Refused(400)),
        case(
            "deep nesting in a field",
            format!("{{\"note\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000)),
            Refused(400),
        ),
        case("a prototype", noted("x").replacen('{', r#"{"__proto__":{"owner":"mallory"},"#, 1), Refused(400)),
        case("an owner", noted("x").replacen('{', r#"{"owner":"mallory","#, 1), Refused(400)),
        case("a note that is too long", noted(&"😀".repeat(501)), Refused(400)),
    ];
    let numbers =
        ["NaN", "Infinity", "-1", "0", "1e400", "18446744073709551616", "9007199254740993", "0x2", "02", "+2", "2.5"];
    cases.extend(numbers.map(|number| case("a number that is not a quantity", quantity(number), Refused(400))));
    // The edge and the worker may disagree on whether a whole fraction is an integer.
    cases.extend(["2.0", "2e0"].map(|number| case("a whole fraction", quantity(number), Refused(400))));
    cases
}

/// At the limits of size.
pub fn large_ones() -> Vec<Case> {
    use Verdict::{Refused, RefusedAs, Taken};
    vec![
        case("the longest note", noted(&"😀".repeat(500)), Taken),
        case("padding just below the largest body", padded(MAX_BODY_BYTES - 1), Taken),
        case("padding to the largest body", padded(MAX_BODY_BYTES), Taken),
        case("padding just above the largest body", padded(MAX_BODY_BYTES + 1), Refused(413)),
        case("emoji and padding to the largest body", padded_with_emoji(MAX_BODY_BYTES), Taken),
        case("emoji and padding just above the largest body", padded_with_emoji(MAX_BODY_BYTES + 1), Refused(413)),
        // A message would have room for it.
        case("padding to 300 bytes less than one mebibyte", padded(1024 * 1024 - 300), Refused(413)),
        case("padding to one mebibyte", padded(1024 * 1024), Refused(413)),
        case("padding to two mebibytes", padded(2 * 1024 * 1024), Refused(413)),
        case("ten megabytes", padded(10_000_000), Refused(413)),
        case("more than API Gateway takes", padded(10 * 1024 * 1024 + 1), Refused(413)),
        case("a field of almost one mebibyte", noted(&"x".repeat(MAX_BODY_BYTES - 200)), Refused(400)),
        // The function checks the size first, the edge the field.
        case("a field of one mebibyte", noted(&"x".repeat(MAX_BODY_BYTES)), RefusedAs(413, 400)),
    ]
}

/// With headers that contradict them.
pub fn odd_headers() -> Vec<Case> {
    use Verdict::{Refused, Taken};
    let with = |name, verdict, headers: &[_]| Case { headers: headers.to_vec(), ..case(name, noted("&+%"), verdict) };
    vec![
        with("no media type", Taken, &[]),
        with("a media type with a character set", Taken, &[(CONTENT_TYPE, "application/json; charset=utf-8")]),
        with("no known media type", Refused(415), &[(CONTENT_TYPE, "application/vnd.example")]),
        // JSON is always UTF-8. Source: RFC 8259, section 11.
        with("the wrong character set", Taken, &[(CONTENT_TYPE, "application/json; charset=utf-16")]),
        with(
            "a content encoding without the encoding",
            Taken,
            &[(CONTENT_TYPE, "application/json"), (CONTENT_ENCODING, "gzip")],
        ),
        Case {
            headers: vec![(CONTENT_TYPE, "application/json"), (CONTENT_ENCODING, "gzip")],
            ..case("bytes that look like gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03".as_slice(), Refused(400))
        },
    ]
}
