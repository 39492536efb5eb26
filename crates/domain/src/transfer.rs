//! Import and export of users.
//!
//! The format is in `row` and `csv`, the import engine in `import`, and `pace` keeps it within Cognito's quotas. `jobs` runs
//! import jobs of Cognito.

mod code;
mod compare;
mod csv;
mod csv_file;
mod duplicates;
mod export;
mod hash;
mod import;
mod jobs;
mod lines;
mod pace;
mod paced_pool;
mod pool_facts;
mod report;
mod result;
mod row;

pub use code::RowCode;
pub use compare::{Comparison, Mismatch};
pub use duplicates::Duplicates;
#[cfg(feature = "jobs")]
pub(crate) use export::members;
pub use export::{Export, ExportError, Memberships};
#[cfg(feature = "jobs")]
pub(crate) use import::group_names;
pub use import::{ImportId, ImportOptions, Importer, JobRows, Known};
pub use jobs::{ImportJobError, JobBatch, JobEvent, JobObserver, JobPlan, Jobs};
pub(crate) use lines::is_empty;
pub use lines::{Format, Line, Lines, MAX_LINE_BYTES, RowParser};
pub use pace::{Pace, Rates};
#[cfg(feature = "backup")]
pub(crate) use paced_pool::is;
pub use paced_pool::{PacedPool, Stop};
pub use pool_facts::PoolFacts;
pub use report::{NotMoved, Summary};
pub use result::{Outcome, RowResult};
#[cfg(feature = "schema")]
pub use row::schema;
pub use row::{Hash, MfaPreference, Origin, RowError, RowPassword, UserRow};
