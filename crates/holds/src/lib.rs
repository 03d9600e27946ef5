//! Hold, then confirm or undo: counters and holds that services keep, and the port they need. No AWS, no serde, no I/O.
