//! Reads JSON bodies strictly: no duplicate keys, no unknown fields, every violation with its JSON pointer.
//!
//! ```
//! use strict_json::{FieldReader, parse_object};
//!
//! let mut fields = parse_object(br#"{"name":7,"size":1}"#)?;
//! let mut reader = FieldReader::default();
//! let name = reader.string("", &mut fields, "name");
//! reader.refuse_rest("", &fields);
//!
//! assert_eq!(name, None);
//! assert_eq!(reader.into_violations().to_string(), "/name: must be a string; /size: is not a known field");
//! # Ok::<(), shared_kernel::Violations>(())
//! ```

mod field_reader;
mod unambiguous;

pub use field_reader::{FieldReader, parse_object};
