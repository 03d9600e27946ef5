//! Values that could be read as something else: trace headers, order ids, subjects of tokens, origins of pages.

/// As AWS writes it.
pub const TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

/// If read as a template or as a part of a form.
pub const INSTRUCTIONS: [&str; 19] = [
    "$input.body",
    "$input.json('$')",
    "$input.params('Authorization')",
    "${context.authorizer.owner}",
    "$util.urlDecode('%26DelaySeconds%3D900')",
    "#set($context.authorizer.owner = 'mallory')",
    "#set($x = '&DelaySeconds=900')$x",
    "#if(true)&DelaySeconds=900#end",
    "#end",
    "#foreach($x in [1..3])x#end",
    "#stop",
    "#[[ ## *|",
    "&Action=PurgeQueue",
    "&Action=DeleteMessage&ReceiptHandle=x",
    "&DelaySeconds=900",
    "&MessageBody={}",
    "&MessageAttribute.2.Value.StringValue=mallory",
    "%26DelaySeconds%3D900",
    "\"'\\<>+ ;=",
];

/// Malformed: each instruction alone, after a trace header and within one; and a long one.
pub fn trace_headers() -> Vec<String> {
    let alone = INSTRUCTIONS.iter().map(|text| (*text).to_owned());
    let appended = INSTRUCTIONS.iter().map(|text| format!("{TRACE}{text}"));
    let as_a_value = INSTRUCTIONS.iter().map(|text| format!("{TRACE};Lineage={text}"));
    alone.chain(appended).chain(as_a_value).chain(["x".repeat(4_000)]).collect()
}

/// Made from the valid `id`, as written in a path.
pub fn malformed_order_ids(id: &str) -> Vec<String> {
    vec![
        format!("{id}%00"),
        format!("{id}%20"),
        format!("{id}&owner=mallory"),
        format!("mallory%23{id}"),
        format!("%7B{id}%7D"),
        format!("urn:uuid:{id}"),
        id.replace('-', ""),
        id.replace('-', "%E2%80%90"),
        "x".repeat(2_000),
        "%F0%9F%98%80".to_owned(),
        "%FF%FE".to_owned(),
        "'%20OR%20'1'='1".to_owned(),
    ]
}

/// As written in a path. Decoded, they are not text, or not text that a queue carries.
pub fn order_ids_that_are_not_text(id: &str) -> [String; 4] {
    [format!("{id}%00"), "%FF%FE".to_owned(), "%EF%BF%BE".to_owned(), "x".repeat(2_000)]
}

/// Owners by their tokens.
pub const SUBJECTS: [&str; 18] = [
    "$util.urlEncode($input.body)",
    "$context.authorizer.principalId",
    "${stageVariables.owner}",
    "#set($context.authorizer.owner='demo')",
    "#if(true)demo#end",
    "##",
    "#*",
    "&DelaySeconds=900",
    "&MessageAttribute.1.Value.StringValue=x",
    "%26DelaySeconds%3D900",
    "demo%00",
    "a+b/c=",
    "\"'\\",
    "{\"S\":\"demo\"}",
    "demo#",
    "../demo",
    "auth0|5f7c8ec7",
    "https://issuer.example/users/1",
];

/// The only one that a local stack lists.
pub const LISTED_ORIGIN: &str = "http://localhost:3000";

/// Similar, but not listed.
pub const UNLISTED_ORIGINS: [&str; 7] = [
    "https://evil.example",
    "http://localhost:3000.evil.example",
    "http://localhost",
    "https://localhost:3000",
    "http://localhost:30000",
    "http://localhost:3000,http://localhost:3000",
    "null",
];

/// In the language of templates, or almost a list.
pub const VELOCITY_ORIGINS: [&str; 4] =
    ["$stageVariables.corsAllowedOrigins", "#set($asked = $allowed)", "${allowed}", "http://localhost:3000,"];
