//! Compares two tables of observations.

use crate::{
    Observations,
    fields::Fields,
    known::{Difference, Found},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

pub(crate) const NOTHING: &str = "nothing";

/// Longer values are cut.
const SHOWN: usize = 200;

pub(crate) struct Comparison {
    fields: usize,
    /// Number of fields, by the id of the difference that declares them.
    known: BTreeMap<&'static str, usize>,
    undeclared: Vec<(String, Found)>,
    stale: Vec<String>,
}

impl Comparison {
    pub(crate) fn new(ministack: &Observations, localstack: &Observations, declared: &'static [Difference]) -> Self {
        let (found, fields) = differences(ministack, localstack);
        let mut comparison = Self { fields, known: BTreeMap::new(), undeclared: Vec::new(), stale: Vec::new() };
        let mut shown = BTreeSet::new();
        for (case, mut found) in found {
            for difference in declared {
                let before = found.len();
                shown.extend(difference.take(&case, &mut found).into_iter().map(|part| (difference.id, part)));
                if found.len() < before {
                    *comparison.known.entry(difference.id).or_default() += before - found.len();
                }
            }
            comparison.undeclared.extend(found.into_iter().map(|found| (case.clone(), found)));
        }
        let parts = declared.iter().flat_map(|difference| difference.parts().map(|part| (difference.id, part)));
        let stale = parts.filter(|part| !shown.contains(part));
        comparison.stale = stale.map(|(id, part)| format!("{id}: {part}")).collect();
        comparison
    }

    pub(crate) fn is_as_known(&self) -> bool {
        self.undeclared.is_empty() && self.stale.is_empty()
    }
}

/// By case, and the number of compared fields.
fn differences(ministack: &Observations, localstack: &Observations) -> (BTreeMap<String, Vec<Found>>, usize) {
    let (mut differing, mut compared, none) = (BTreeMap::<_, Vec<_>>::new(), 0, Fields::new());
    // One side may have queued an order that the other refused.
    for case in ministack.keys().chain(localstack.keys()).collect::<BTreeSet<_>>() {
        let [one, other] = [ministack, localstack].map(|table| table.get(case).unwrap_or(&none));
        for field in one.keys().chain(other.keys()).collect::<BTreeSet<_>>() {
            compared += 1;
            let value = |fields: &Fields| fields.get(field).map_or(NOTHING, String::as_str).to_owned();
            let (ministack, localstack) = (value(one), value(other));
            if ministack != localstack {
                differing.entry(case.clone()).or_default().push(Found { field: field.clone(), ministack, localstack });
            }
        }
    }
    (differing, compared)
}

impl fmt::Display for Comparison {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: usize = self.known.values().sum();
        let alike = self.fields - known - self.undeclared.len();
        writeln!(to, "\n{} fields: {alike} alike, {known} known to differ:", self.fields)?;
        for (id, count) in &self.known {
            writeln!(to, "  {count:>5}  {id}")?;
        }
        writeln!(
            to,
            "{} differences are not declared in tests/differential/known.rs{}",
            self.undeclared.len(),
            end(&self.undeclared)
        )?;
        let mut before = "";
        for (case, found) in &self.undeclared {
            if case != before {
                writeln!(to, "  {case}")?;
                before = case;
            }
            writeln!(
                to,
                "    {}\n      MiniStack   {:.SHOWN$}\n      LocalStack  {:.SHOWN$}",
                found.field, found.ministack, found.localstack
            )?;
        }
        writeln!(to, "{} declared differences no longer occur{}", self.stale.len(), end(&self.stale))?;
        self.stale.iter().try_for_each(|part| writeln!(to, "  {part}"))
    }
}

fn end<T>(list: &[T]) -> &'static str {
    if list.is_empty() { "" } else { ":" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known::{Field, Right};

    static DECLARED: &[Difference] = &[Difference {
        id: "one-is-strict",
        what: "what",
        cases: &["a", "b*"],
        fields: &[Field("status", "400", "500")],
        with_it: &["header *"],
        aws: "says 400",
        source: "https://docs.aws.amazon.com/",
        right: Right::MiniStack,
        done: "nothing",
    }];

    fn observed(cases: &[(&str, &str)]) -> Observations {
        let fields = |status: &str| Fields::from([("status".to_owned(), status.to_owned())]);
        cases.iter().map(|(case, status)| ((*case).to_owned(), fields(status))).collect()
    }

    #[test]
    fn declared_differences_that_occur_are_as_known() {
        let (left, right) = (
            observed(&[("a", "400"), ("b1", "400"), ("c", "1")]),
            observed(&[("a", "500"), ("b1", "500"), ("c", "1")]),
        );

        assert!(Comparison::new(&left, &right, DECLARED).is_as_known());
    }

    #[test]
    fn undeclared_differences_are_printed_with_both_values() {
        let (left, right) = (
            observed(&[("a", "400"), ("b1", "400"), ("c", "1")]),
            observed(&[("a", "500"), ("b1", "500"), ("c", "2")]),
        );

        let comparison = Comparison::new(&left, &right, DECLARED);

        assert!(!comparison.is_as_known());
        let printed = comparison.to_string();
        assert!(
            printed.contains("1 differences are not declared")
                && printed.contains("MiniStack   1")
                && printed.contains("LocalStack  2"),
            "{printed}"
        );
    }

    #[test]
    fn a_value_other_than_the_declared_one_is_undeclared() {
        let (left, right) = (observed(&[("a", "400"), ("b1", "400")]), observed(&[("a", "500"), ("b1", "502")]));

        assert!(!Comparison::new(&left, &right, DECLARED).is_as_known());
    }

    #[test]
    fn consequences_of_a_declared_difference_are_known_only_where_it_occurs() {
        let allow =
            |status: &str| Fields::from([("status".into(), status.into()), ("header allow".into(), "PUT".into())]);
        let (left, right) = (observed(&[("a", "400"), ("b1", "400")]), observed(&[("a", "500"), ("b1", "500")]));
        let with = |table: &Observations, case: &str, status| {
            let mut table = table.clone();
            table.insert(case.to_owned(), allow(status));
            table
        };

        assert!(Comparison::new(&left, &with(&right, "a", "500"), DECLARED).is_as_known());
        assert!(!Comparison::new(&left, &with(&right, "b1", "400"), DECLARED).is_as_known());
    }

    #[test]
    fn a_field_that_one_side_lacks_differs() {
        let (mut left, right) = (observed(&[("c", "1")]), observed(&[("c", "1")]));
        left.get_mut("c").unwrap().insert("header allow".to_owned(), "PUT".to_owned());

        let printed = Comparison::new(&left, &right, &[]).to_string();

        assert!(printed.contains("header allow\n      MiniStack   PUT\n      LocalStack  nothing"), "{printed}");
    }

    #[test]
    fn a_declared_part_that_no_longer_occurs_is_stale() {
        let (left, right) = (observed(&[("a", "400"), ("b1", "400")]), observed(&[("a", "500"), ("b1", "400")]));

        let comparison = Comparison::new(&left, &right, DECLARED);

        assert!(!comparison.is_as_known());
        assert!(comparison.to_string().contains("one-is-strict: the case b*"), "{comparison}");
    }
}
