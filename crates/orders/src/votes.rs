use crate::{Step, Vote};
use std::{collections::BTreeMap, fmt};

/// The votes on one order: the first vote of each step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Votes(BTreeMap<Step, Vote>);

impl Votes {
    /// The step's vote, if it voted.
    #[must_use]
    pub fn of(&self, step: Step) -> Option<&Vote> {
        self.0.get(&step)
    }

    /// Every vote, in the order of [`Step::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Step, &Vote)> {
        self.0.iter().map(|(step, vote)| (*step, vote))
    }

    /// Whether every step except `step` holds.
    #[must_use]
    pub fn await_only(&self, step: Step) -> bool {
        Step::ALL.into_iter().filter(|other| *other != step).all(|other| self.of(other) == Some(&Vote::Held))
    }
}

/// Of two votes of one step, the first counts.
impl FromIterator<(Step, Vote)> for Votes {
    fn from_iter<I: IntoIterator<Item = (Step, Vote)>>(votes: I) -> Self {
        let mut first = BTreeMap::new();
        for (step, vote) in votes {
            first.entry(step).or_insert(vote);
        }
        Self(first)
    }
}

/// What decided an order of the bus lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decider {
    /// This step's vote: the last `held`, or a `refused` or `failed`.
    Step(Step),
    /// The deadline passed before every step held.
    Deadline,
    /// Its submission could not be published in any delivery.
    Submission,
}

impl Decider {
    const DEADLINE: &'static str = "deadline";
    const SUBMISSION: &'static str = "submission";

    /// The step's name, `deadline` or `submission`, as in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Step(step) => step.name(),
            Self::Deadline => Self::DEADLINE,
            Self::Submission => Self::SUBMISSION,
        }
    }

    /// The decider of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            Self::DEADLINE => Some(Self::Deadline),
            Self::SUBMISSION => Some(Self::Submission),
            _ => Step::from_name(name).map(Self::Step),
        }
    }
}

impl fmt::Display for Decider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_decider_by_its_name() {
        for decider in Step::ALL.map(Decider::Step).into_iter().chain([Decider::Deadline, Decider::Submission]) {
            assert_eq!(Decider::from_name(decider.name()), Some(decider));
        }
        assert_eq!(Decider::from_name("STOCK"), None);
    }

    #[test]
    fn awaits_only_a_step_when_both_others_hold() {
        let held = [(Step::Stock, Vote::Held), (Step::Payment, Vote::Held)];
        let refused = [(Step::Stock, Vote::Held), (Step::Payment, Vote::Refused("no".into()))];

        assert!(Votes::from_iter(held.clone()).await_only(Step::Shipment));
        assert!(!Votes::from_iter(held).await_only(Step::Stock), "shipment has not voted");
        assert!(!Votes::from_iter(refused).await_only(Step::Shipment));
        assert!(!Votes::default().await_only(Step::Shipment));
    }

    #[test]
    fn keeps_the_first_of_two_votes_of_one_step() {
        let votes = Votes::from_iter([(Step::Stock, Vote::Held), (Step::Stock, Vote::Failed("late".into()))]);

        assert_eq!(votes.iter().collect::<Vec<_>>(), [(Step::Stock, &Vote::Held)]);
    }
}
