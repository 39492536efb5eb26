//! The request body: one form for each type of job.

use std::borrow::Cow;

use domain::jobs::{ExportJob, ImportJob, Job, JobId, JobOptions, JobType};
use domain::retry::Clock;
use domain::transfer::Format;
use serde::Deserialize;
use serde::de::IgnoredAny;
use strum::VariantArray as _;
use thiserror::Error;
use utoipa::openapi::{OneOfBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::fields::text::{BackupId, RestoreId, UploadId};
use crate::http::error::ApiError;
use crate::http::json::JsonText;

/// The job to start. Its fields depend on the type.
pub(crate) enum Body {
    Import(Import),
    Export(Export),
    Backup(Backup),
    RestoreArchive(RestoreArchive),
    RestoreBackup(RestoreBackup),
}

/// Imports an uploaded file. By default, it only creates users.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "StartImport", example = json!({
    "type": "import", "upload": "import-50d858e0985ecc7f60418aaf0cc5ab58", "format": "json-lines", "create_groups": true
}))]
#[expect(clippy::struct_excessive_bools, reason = "independent options of the caller")]
pub(crate) struct Import {
    #[expect(dead_code, reason = "only checked by deserialization")]
    #[schema(inline)]
    r#type: IsImport,
    upload: UploadId,
    format: Format,
    /// Whether existing users that differ from their row are changed. Otherwise they are skipped.
    #[serde(default)]
    #[schema(default = false)]
    update: bool,
    /// Whether existing users are changed even if they share no verified e-mail address or phone number with their row.
    #[serde(default)]
    #[schema(default = false)]
    trust_user_names: bool,
    /// Whether missing groups are created.
    #[serde(default)]
    #[schema(default = false)]
    create_groups: bool,
    /// Whether only reads are made. The results then contain what would happen. A dry run is a job of its own: it
    /// deletes the file. Upload the file again for the import.
    #[serde(default)]
    #[schema(default = false)]
    dry_run: bool,
}

/// Writes all users to files.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "StartExport", example = json!({"type": "export"}))]
pub(crate) struct Export {
    #[expect(dead_code, reason = "only checked by deserialization")]
    #[schema(inline)]
    r#type: IsExport,
    /// Whether the second factors of each user are read. Each read counts towards the monthly active users.
    #[serde(default)]
    #[schema(default = false)]
    mfa: bool,
}

/// Writes settings, app clients without their secrets, groups and users to an archive.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "StartBackup", example = json!({"type": "backup"}))]
pub(crate) struct Backup {
    #[expect(dead_code, reason = "only checked by deserialization")]
    #[schema(inline)]
    r#type: IsBackup,
    /// Whether the second factors of each user are read. Each read counts towards the monthly active users.
    #[serde(default)]
    #[schema(default = false)]
    mfa: bool,
}

/// Creates groups and users from an uploaded archive. By default, it changes no existing group or user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "RestoreArchive", example = json!({
    "type": "restore", "archive": "restore-50d858e0985ecc7f60418aaf0cc5ab58"
}))]
pub(crate) struct RestoreArchive {
    #[expect(dead_code, reason = "only checked by deserialization")]
    #[schema(inline)]
    r#type: IsRestore,
    archive: RestoreId,
    /// Whether existing groups and users that differ from the archive are changed.
    #[serde(default)]
    #[schema(default = false)]
    update: bool,
    /// Whether existing users are changed even if they share no verified e-mail address or phone number with the archive.
    #[serde(default)]
    #[schema(default = false)]
    trust_user_names: bool,
    /// Whether only reads are made. The results then contain what would happen. An uploaded archive is deleted.
    #[serde(default)]
    #[schema(default = false)]
    dry_run: bool,
}

/// Creates groups and users from a backup of this stack. By default, it changes no existing group or user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "RestoreBackup", example = json!({
    "type": "restore", "backup": "backup-9c1b1c5f0ea24a1bb7f3a4c7d2e5f608"
}))]
pub(crate) struct RestoreBackup {
    #[expect(dead_code, reason = "only checked by deserialization")]
    #[schema(inline)]
    r#type: IsRestore,
    backup: BackupId,
    /// Whether existing groups and users that differ from the archive are changed.
    #[serde(default)]
    #[schema(default = false)]
    update: bool,
    /// Whether existing users are changed even if they share no verified e-mail address or phone number with the archive.
    #[serde(default)]
    #[schema(default = false)]
    trust_user_names: bool,
    /// Whether only reads are made. The results then contain what would happen.
    #[serde(default)]
    #[schema(default = false)]
    dry_run: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum IsImport {
    Import,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum IsRestore {
    Restore,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum IsExport {
    Export,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum IsBackup {
    Backup,
}

/// The fields that determine the form of a body.
#[derive(Deserialize)]
struct Discriminator {
    r#type: KnownType,
    backup: Option<IgnoredAny>,
}

/// Accepts only a string; `serde` also accepts an object as the name of a variant.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct KnownType(JobType);

#[derive(Debug, Error)]
#[error("must be one of {}", JobType::VARIANTS.iter().map(|known| format!("`{}`", known.as_str())).collect::<Vec<_>>().join(", "))]
struct InvalidType;

impl TryFrom<String> for KnownType {
    type Error = InvalidType;

    fn try_from(text: String) -> Result<Self, InvalidType> {
        JobType::VARIANTS.iter().find(|known| known.as_str() == text).map(|known| Self(*known)).ok_or(InvalidType)
    }
}

impl Body {
    /// Deserializes twice: first to determine the form, then as that form, so that an error names the field.
    pub(super) fn read(text: &JsonText) -> Result<Self, ApiError> {
        let Discriminator { r#type: KnownType(job_type), backup } = text.read()?;
        Ok(match job_type {
            JobType::Import => Self::Import(text.read()?),
            JobType::Export => Self::Export(text.read()?),
            JobType::Backup => Self::Backup(text.read()?),
            JobType::Restore if backup.is_some() => Self::RestoreBackup(text.read()?),
            JobType::Restore => Self::RestoreArchive(text.read()?),
        })
    }

    /// The options that are set, for the audit record.
    pub(super) fn options(&self) -> impl Iterator<Item = &'static str> + use<> {
        let options = match self {
            Self::Import(Import { update, trust_user_names, create_groups, dry_run, .. }) => vec![
                ("update", *update),
                ("trust_user_names", *trust_user_names),
                ("create_groups", *create_groups),
                ("dry_run", *dry_run),
            ],
            Self::Export(Export { mfa, .. }) | Self::Backup(Backup { mfa, .. }) => vec![("mfa", *mfa)],
            Self::RestoreArchive(RestoreArchive { update, trust_user_names, dry_run, .. })
            | Self::RestoreBackup(RestoreBackup { update, trust_user_names, dry_run, .. }) => {
                vec![("update", *update), ("trust_user_names", *trust_user_names), ("dry_run", *dry_run)]
            }
        };
        options.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name)
    }

    /// The job with its id. Without an upload, the id derives from the caller and the key, if there is one.
    pub(super) fn job(self, caller: &str, key: Option<&str>, clock: &dyn Clock) -> Result<(JobId, Job), ApiError> {
        let (requested_by, requested_at) = (caller.to_owned(), clock.wall_time());
        let new_id = |job_type| match key {
            Some(key) => JobId::derived(job_type, &[caller, key]),
            None => JobId::new(job_type, clock),
        };
        let restore = |id, backup, update, trust_user_names, dry_run| {
            // The archive contains the groups. A group that was deleted during the backup is created.
            let options = JobOptions { update, trust_user_names, create_groups: true, dry_run };
            let format = Format::JsonLines;
            Job::Restore(ImportJob { id, format, backup, options, requested_by: caller.to_owned(), requested_at })
        };
        let export = |mfa| ExportJob { mfa, requested_by: caller.to_owned(), requested_at: Some(requested_at) };
        Ok(match self {
            Self::Import(Import { upload, format, update, trust_user_names, create_groups, dry_run, .. }) => {
                let options = JobOptions { update, trust_user_names, create_groups, dry_run };
                let (id, backup) = (id_in("upload", upload)?, None);
                (id.clone(), Job::Import(ImportJob { id, format, backup, options, requested_by, requested_at }))
            }
            Self::RestoreArchive(RestoreArchive { archive, update, trust_user_names, dry_run, .. }) => {
                let id = id_in("archive", archive)?;
                (id.clone(), restore(id, None, update, trust_user_names, dry_run))
            }
            Self::RestoreBackup(RestoreBackup { backup, update, trust_user_names, dry_run, .. }) => {
                let (id, backup) = (new_id(JobType::Restore), id_in("backup", backup)?);
                (id.clone(), restore(id, Some(backup), update, trust_user_names, dry_run))
            }
            Self::Export(Export { mfa, .. }) => (new_id(JobType::Export), Job::Export(export(mfa))),
            Self::Backup(Backup { mfa, .. }) => (new_id(JobType::Backup), Job::Backup(export(mfa))),
        })
    }
}

/// The id in a field, whose type checks its format.
fn id_in(field: &'static str, text: impl Into<String>) -> Result<JobId, ApiError> {
    JobId::try_from(text.into()).map_err(|rule| ApiError::invalid(field, rule))
}

impl PartialSchema for Body {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new()
            .description(Some("The job to start. Its fields depend on `type`."))
            .item(Import::schema())
            .item(Export::schema())
            .item(Backup::schema())
            .item(RestoreArchive::schema())
            .item(RestoreBackup::schema())
            .into()
    }
}

impl ToSchema for Body {
    fn name() -> Cow<'static, str> {
        "StartJob".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Import::schemas(schemas);
        Export::schemas(schemas);
        Backup::schemas(schemas);
        RestoreArchive::schemas(schemas);
        RestoreBackup::schemas(schemas);
    }
}
