//! Rows between Arrow, where the host keeps them, and the contract, where they cross into a
//! component.

mod assemble;
mod declared;
pub(crate) mod flat;
pub(crate) mod from_arrow;
mod json_list;
mod json_type;
mod to_arrow;

pub use assemble::{Place, assemble, without_rows};
pub(crate) use declared::{declared, with_schema};
pub use from_arrow::ColumnError;
pub(crate) use from_arrow::from_arrow;
pub(crate) use json_type::is_of;
pub(crate) use to_arrow::to_arrow;

#[cfg(test)]
mod tests;
