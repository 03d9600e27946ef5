//! Two tables of observations beside each other, and which of their differences are known.

use crate::{
    Observations,
    fields::Fields,
    known::{Difference, Found},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// What a side has that lacks a field.
pub(crate) const NOTHING: &str = "nothing";

/// Of a longer value, as much is shown.
const SHOWN: usize = 200;

/// What differs.
pub(crate) struct Comparison {
    fields: usize,
    /// The number of fields by the id of the difference that tells of them.
    known: BTreeMap<&'static str, usize>,
    /// With the name of the case.
    undeclared: Vec<(String, Found)>,
    stale: Vec<String>,
}

impl Comparison {
    /// Compares every field of every case.
    pub(crate) fn of(ministack: &Observations, localstack: &Observations, declared: &'static [Difference]) -> Self {
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

    /// Whether every difference is known, and every known one showed.
    pub(crate) fn is_as_known(&self) -> bool {
        self.undeclared.is_empty() && self.stale.is_empty()
    }
}

/// What differs by case, and how many fields were compared.
fn differences(ministack: &Observations, localstack: &Observations) -> (BTreeMap<String, Vec<Found>>, usize) {
    let (mut differing, mut compared, none) = (BTreeMap::<_, Vec<_>>::new(), 0, Fields::new());
    // One side may have queued what the other refused.
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
            "{} differ and are not declared in tests/differential/known.rs{}",
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
        writeln!(
            to,
            "{} declared differences do not show any more: take them out{}",
            self.stale.len(),
            end(&self.stale)
        )?;
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
    fn what_is_declared_and_shows_is_as_known() {
        let (left, right) = (
            observed(&[("a", "400"), ("b1", "400"), ("c", "1")]),
            observed(&[("a", "500"), ("b1", "500"), ("c", "1")]),
        );

        assert!(Comparison::of(&left, &right, DECLARED).is_as_known());
    }

    #[test]
    fn what_is_not_declared_is_told_with_both_values() {
        let (left, right) = (
            observed(&[("a", "400"), ("b1", "400"), ("c", "1")]),
            observed(&[("a", "500"), ("b1", "500"), ("c", "2")]),
        );

        let comparison = Comparison::of(&left, &right, DECLARED);

        assert!(!comparison.is_as_known());
        let told = comparison.to_string();
        assert!(
            told.contains("1 differ and are not declared")
                && told.contains("MiniStack   1")
                && told.contains("LocalStack  2"),
            "{told}"
        );
    }

    #[test]
    fn another_value_than_the_declared_one_is_not_declared() {
        let (left, right) = (observed(&[("a", "400"), ("b1", "400")]), observed(&[("a", "500"), ("b1", "502")]));

        assert!(!Comparison::of(&left, &right, DECLARED).is_as_known());
    }

    #[test]
    fn what_comes_with_a_declared_difference_is_known_only_where_that_shows() {
        let allow =
            |status: &str| Fields::from([("status".into(), status.into()), ("header allow".into(), "PUT".into())]);
        let (left, right) = (observed(&[("a", "400"), ("b1", "400")]), observed(&[("a", "500"), ("b1", "500")]));
        let with = |table: &Observations, case: &str, status| {
            let mut table = table.clone();
            table.insert(case.to_owned(), allow(status));
            table
        };

        assert!(Comparison::of(&left, &with(&right, "a", "500"), DECLARED).is_as_known());
        assert!(!Comparison::of(&left, &with(&right, "b1", "400"), DECLARED).is_as_known());
    }

    #[test]
    fn a_field_that_one_side_lacks_differs() {
        let (mut left, right) = (observed(&[("c", "1")]), observed(&[("c", "1")]));
        left.get_mut("c").unwrap().insert("header allow".to_owned(), "PUT".to_owned());

        let told = Comparison::of(&left, &right, &[]).to_string();

        assert!(told.contains("header allow\n      MiniStack   PUT\n      LocalStack  nothing"), "{told}");
    }

    #[test]
    fn a_part_that_does_not_show_any_more_is_stale() {
        let (left, right) = (observed(&[("a", "400"), ("b1", "400")]), observed(&[("a", "500"), ("b1", "400")]));

        let comparison = Comparison::of(&left, &right, DECLARED);

        assert!(!comparison.is_as_known());
        assert!(comparison.to_string().contains("one-is-strict: the case b*"), "{comparison}");
    }
}
