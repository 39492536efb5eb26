//! Jobs on the users of a pool, which a state machine runs.
//!
//! The state machine calls a worker with one step after the other. For an import, the file is split into chunks, chunks
//! are imported concurrently, and the results are added up. For an export, users are written to files. Each step can be
//! repeated at any time. `control` and `view` contain what a caller can do with jobs.

mod chunk;
mod control;
mod error;
mod execution;
mod exporter;
mod files;
mod id;
mod job;
mod splitter;
mod view;
mod worker;

pub use chunk::{Chunk, Plan, Split};
pub use control::{Control, Start, Upload};
pub use error::{JobError, StoreError};
pub use execution::{Execution, ExecutionStatus, Executions};
pub use exporter::{ExportState, ExportedFile, Exporter};
pub use files::{FileVersion, Files, ensure_not_stopped, keys};
pub use id::{EXPECTED_JOB_ID, JobId};
pub use job::{ExportJob, ExportStep, ImportJob, Job, JobOptions, JobStatus, JobType, Step};
pub use view::{JobPage, JobView, Progress, ResultFile, ResultPage};
pub use worker::Worker;
