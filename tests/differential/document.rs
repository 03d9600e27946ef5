//! docs/emulators.md must list the declared differences.

use crate::known::{DIFFERENCES, Difference, Field};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};
use testkit::repository::root;

/// From the repository's root.
pub(crate) const PATH: &str = "docs/emulators.md";

/// Before and after the list.
const MARKS: [&str; 2] = ["<!-- differences: begin -->", "<!-- differences: end -->"];

#[test]
fn the_document_lists_the_declared_differences() {
    let text = fs::read_to_string(root().join(PATH)).unwrap();
    let (_, rest) = text.split_once(MARKS[0]).expect("the list has a mark before it");
    let (listed, _) = rest.split_once(MARKS[1]).expect("the list has a mark after it");

    let declared = table(DIFFERENCES);

    assert_eq!(listed.trim(), declared.trim(), "replace the list in {PATH} with:\n\n{declared}\n");
}

#[test]
fn every_difference_has_a_unique_id_and_a_source() {
    let ids: BTreeSet<_> = DIFFERENCES.iter().map(|difference| difference.id).collect();

    assert_eq!(ids.len(), DIFFERENCES.len(), "two differences have one id");
    for difference in DIFFERENCES {
        assert!(difference.source.starts_with("https://"), "{}", difference.id);
        assert!(!difference.cases.is_empty() && !difference.fields.is_empty(), "{}", difference.id);
    }
}

fn table(differences: &[Difference]) -> String {
    let head = "| id | what | MiniStack | LocalStack core | what AWS documents | right | what was done |\n|---|---|---|---|---|---|---|\n";
    head.to_owned() + &differences.iter().map(row).collect::<String>()
}

fn row(difference: &Difference) -> String {
    let Difference { id, what, aws, source, right, done, .. } = difference;
    let values = |value: fn(&Field) -> &'static str| {
        let mut by_field = BTreeMap::<_, Vec<_>>::new();
        for field in difference.fields {
            let values = by_field.entry(field.0).or_default();
            let shown = format!("`{}`", value(field));
            if !values.contains(&shown) {
                values.push(shown);
            }
        }
        by_field.iter().map(|(name, values)| format!("{name} {}", values.join(", "))).collect::<Vec<_>>().join("; ")
    };
    let (ministack, localstack) = (values(|field| field.1), values(|field| field.2));
    format!("| `{id}` | {what} | {ministack} | {localstack} | [{aws}]({source}) | {right} | {done} |\n")
}
