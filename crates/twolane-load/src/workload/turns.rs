//! Assigns orders to owners.

use serde::{Deserialize, Serialize};

/// How owners share a run's orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Turns {
    /// The first owner's share in per cent; 0 if all take turns.
    noisy_percent: u8,
}

impl Turns {
    /// The first owner places this percentage; the others take turns.
    pub(crate) fn noisy(percent: u8) -> Self {
        Self { noisy_percent: percent }
    }

    pub(crate) fn has_noisy_owner(self) -> bool {
        self.noisy_percent > 0
    }

    /// Index of the order's owner, from 0.
    pub(crate) fn owner(self, order: u32, owners: usize) -> usize {
        let (number, noisy) = (order as usize, self.noisy_before(order));
        if !self.has_noisy_owner() || owners == 1 {
            number % owners
        } else if self.is_noisy(order) {
            0
        } else {
            1 + (number - noisy) % (owners - 1)
        }
    }

    /// Whether one owner is noisy and another one places the order.
    pub(crate) fn is_of_others(self, order: u32) -> bool {
        self.has_noisy_owner() && !self.is_noisy(order)
    }

    fn is_noisy(self, order: u32) -> bool {
        self.noisy_before(order + 1) > self.noisy_before(order)
    }

    /// The noisy owner's orders among the first `order` orders, spread evenly.
    fn noisy_before(self, order: u32) -> usize {
        let orders = u64::from(order) * u64::from(self.noisy_percent) / 100;
        usize::try_from(orders).expect("a part of the number of orders")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners_of(turns: Turns, owners: usize) -> Vec<usize> {
        (0..20).map(|order| turns.owner(order, owners)).collect()
    }

    #[test]
    fn owners_take_turns() {
        assert_eq!(owners_of(Turns::default(), 3)[..7], [0, 1, 2, 0, 1, 2, 0]);
    }

    #[test]
    fn a_noisy_owner_places_a_share_of_the_orders_and_the_others_take_turns() {
        assert_eq!(owners_of(Turns::noisy(80), 3)[..10], [1, 0, 0, 0, 0, 2, 0, 0, 0, 0]);
        assert_eq!(owners_of(Turns::noisy(80), 1), [0; 20]);
    }
}
