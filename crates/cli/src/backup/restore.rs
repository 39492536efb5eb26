//! `restore`: creates a new user pool from an archive.

use std::path::Path;

use domain::backup::{Archive, ExistingGroups, RestoredSpec, restore_groups, restored_spec};
use domain::provision::{Action, Provisioner};
use domain::transfer::{ImportId, ImportOptions, JobRows};
use domain::user_pool::quota::Category;
use serde_json::json;

use super::{list, open};
use crate::arguments::RestoreArguments;
use crate::error::CommandError;
use crate::layout::wrap;
use crate::plan_view;
use crate::run::{INCOMPLETE, Session, print};
use crate::summary;
use crate::users::{Header, Journal, OpenPool, Source, beside, import, output, unless_interrupted};

/// Restores the archive into a new pool, or continues the restore.
pub(crate) async fn run(session: &Session, path: &Path, arguments: RestoreArguments) -> Result<u8, CommandError> {
    let RestoreArguments { name, results, dry_run, quotas } = arguments;
    let (file, archive) = open(path)?;
    // Now, so that a change of the file after its check is noticed.
    let source = Source::section(path, file, &archive.users)?;
    let restored = restored_spec(&archive.settings, name.clone());
    if dry_run {
        return Box::pin(forecast(session, &archive, &restored)).await;
    }
    let aws = Box::pin(session.connect()).await?;
    let platform = aws.platform();
    let apply = Box::pin(async {
        let provisioner = Provisioner { restore: Some(archive.id.clone()), ..session.provisioner(&platform) };
        Ok(provisioner.apply(&restored.spec).await?)
    });
    let receipt = session.unless_interrupted(Action::Apply, apply).await?;
    let id = receipt.user_pool_id.clone().unwrap_or_default();
    let pool = unless_interrupted(OpenPool::open(session, &aws, id, &quotas, &Category::ADJUSTABLE)).await?;
    session.progress.begin("creating the groups");
    let groups = unless_interrupted(async {
        Ok(restore_groups(pool.paced(), &archive.settings.groups, ExistingGroups::Update).await?)
    })
    .await;
    session.progress.pause();
    let groups = groups?;

    let results = results.unwrap_or_else(|| beside(path, &format!(".{name}.results.jsonl")));
    // Groups that were created during the backup are missing in its list of groups.
    let options = ImportOptions { create_groups: true, explain: true, ..ImportOptions::default() };
    let header = Header {
        import: ImportId::new(pool.clock.as_ref()).to_string(),
        started_at: pool.clock.wall_time(),
        file_sha256: archive.users.sha256.clone(),
        user_pool_id: pool.user_pool_id.clone(),
        update: false,
        trust_user_names: false,
        create_groups: true,
        import_jobs: JobRows::None,
        dry_run: false,
    };
    let mut journal = Journal::open(&results, header)?;
    let stop = Box::pin(import(session, &source, &pool, (options, None), &mut journal)).await?;
    let (summary, results, not_restored) =
        (&journal.summary, results.display().to_string(), not_restored(&archive, &restored));
    if session.options.json {
        print(&json!({
            "user_pool_id": pool.user_pool_id, "receipt": receipt, "groups": groups, "import": journal.header.import,
            "results": results, "summary": summary, "throttled_calls": pool.pace.throttled(),
            "not_restored": not_restored, "error": stop.as_ref().map(ToString::to_string),
        }))?;
    } else {
        let (took, width) = (session.started.elapsed(), session.stdout.width());
        let mut lines = summary::lines(&receipt, took, width);
        lines.extend(output::imported(summary, false, &results, took, width));
        lines.extend(list("Not restored:", &not_restored, width));
        session.stdout.write_lines(&lines);
    }
    match stop {
        Some(stop) => Err(stop),
        None if summary.is_complete() => Ok(0),
        None => Ok(INCOMPLETE),
    }
}

/// Shows what a restore would create.
async fn forecast(session: &Session, archive: &Archive, restored: &RestoredSpec) -> Result<u8, CommandError> {
    let work = Box::pin(async {
        let platform = session.connect().await?.platform();
        let provisioner = Provisioner { restore: Some(archive.id.clone()), ..session.provisioner(&platform) };
        provisioner.plan(&restored.spec).await.map_err(CommandError::NoPlan)
    });
    let plan = session.unless_interrupted(Action::Plan, work).await?;
    let (counts, not_restored) = (archive.manifest.counts, not_restored(archive, restored));
    if session.options.json {
        print(
            &json!({"dry_run": true, "plan": plan, "spec": restored.spec, "counts": counts, "not_restored": not_restored}),
        )?;
        return Ok(0);
    }
    let width = session.stdout.width();
    let mut lines = plan_view::lines(&plan, width);
    let text = format!("The backup contains {} users and {} groups.", counts.users, counts.groups);
    lines.extend(wrap("", &text, 0, width));
    lines.extend(list("Not restored:", &not_restored, width));
    lines.push("Nothing was changed.".to_owned());
    session.stdout.write_lines(&lines);
    Ok(0)
}

/// What the restored pool lacks: settings that are not in the backup, and settings that are not restored.
fn not_restored(archive: &Archive, restored: &RestoredSpec) -> Vec<String> {
    let mut all = restored.not_restored.clone();
    all.extend(archive.settings.not_included.iter().filter(|name| !restored.not_restored.contains(*name)).cloned());
    all
}
