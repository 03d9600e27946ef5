//! The event.

use crate::record::Record;
use serde::Deserialize;
use serde_json::Value;

/// The event of an SQS batch, with its records still unread: one that cannot be read must not keep the others from
/// being read.
#[derive(Clone, Debug, Deserialize)]
pub struct SqsBatch {
    #[serde(rename = "Records")]
    records: Vec<Value>,
}

impl SqsBatch {
    /// What must be worked on in order, one record after the other: the records of one message group of a FIFO queue.
    /// Each record of a standard queue stands alone, whatever message group it names: there a group is for fairness.
    pub(crate) fn into_sequences(self) -> Vec<Vec<Record>> {
        let mut sequences: Vec<Vec<Record>> = Vec::with_capacity(self.records.len());
        for record in self.records.into_iter().map(Record::new) {
            let same_group = |sequence: &&mut Vec<Record>| {
                record.fifo_group().is_some() && sequence[0].fifo_group() == record.fifo_group()
            };
            match sequences.iter_mut().find(same_group) {
                Some(sequence) => sequence.push(record),
                None => sequences.push(vec![record]),
            }
        }
        sequences
    }
}
