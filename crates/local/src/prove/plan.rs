//! What is about to be created, what it costs, and whether that is wanted.

use std::collections::BTreeMap;
use std::path::PathBuf;

use testkit::local_aws::{Tooling as _, host_architecture};

use super::account::{Account, random, text};
use super::question;
use super::stop::Stop;
use crate::arguments::ProveOptions;
use crate::scene::{FIRST_ADMIN_MAILBOX, Target as _, for_flows, pairs};

/// What every name begins with, and how much of it is random.
const PREFIX: &str = "prove-";
const RANDOM: usize = 8;

/// The origin that browsers may call from.
pub(super) const ORIGIN: &str = "https://prove.example";

/// Everything that is decided before something is created.
pub(super) struct Plan {
    /// The name of the stack, and part of the name of everything else.
    pub(super) name: String,
    /// The built template.
    pub(super) template: PathBuf,
    /// Its parameters.
    pub(super) parameters: BTreeMap<String, String>,
    /// The versions of everything that takes part.
    pub(super) versions: String,
}

impl Plan {
    pub(super) async fn new(account: &Account, options: &ProveOptions) -> Result<Self, Stop> {
        let name = format!("{PREFIX}{}", random(RANDOM)?);
        // The emulator runs unoptimized functions on this machine, and knows no conditions on tags.
        let (template, architecture, limited) = if account.is_emulator() {
            (account.tools().built_template()?, host_architecture(), "false")
        } else {
            (account.tools().template_for_aws()?, &*options.architecture, "true")
        };
        let first_admin = account.address(FIRST_ADMIN_MAILBOX);
        let of_account = pairs(&[
            ("PoolName", &*name),
            ("FirstAdminEmail", &*first_admin),
            ("LimitRights", limited),
            ("Architecture", architecture),
            ("LogRetentionDays", "1"),
        ]);
        let parameters = for_flows().chain(of_account).chain(options.parameters.iter().cloned()).collect();
        let versions = account.script(&["versions", env!("CARGO_MANIFEST_DIR")], None).await?;
        let versions =
            versions.as_object().into_iter().flatten().map(|(name, version)| format!("{name} {}", text(version)));
        Ok(Self { name, template, parameters, versions: versions.collect::<Vec<_>>().join(", ") })
    }

    /// The stack with what only the probes need.
    pub(super) fn helpers(&self) -> String {
        helpers(&self.name)
    }

    /// Shows what is about to happen, and asks.
    pub(super) async fn confirm(&self, account: &Account, sure: bool) -> Result<(), Stop> {
        println!("{}", self.announcement(account));
        if sure {
            return Ok(());
        }
        match &*question::ask("\nCreate and delete all this? Type yes: ").await {
            "yes" => Ok(()),
            "" => Err(Stop::Declined("no answer. Nothing was created. Pass --yes to skip the question")),
            _ => Err(Stop::Declined("declined. Nothing was created.")),
        }
    }

    fn announcement(&self, account: &Account) -> String {
        let Self { name, .. } = self;
        let helpers = self.helpers();
        let place = if account.is_emulator() { "the emulator at AWS_ENDPOINT_URL, account" } else { "the AWS account" };
        let mails = match account.mailbox() {
            Some(mailbox) => format!("2 mails to Amazon's mailbox simulator and 1 to {mailbox}"),
            None => "3 mails to Amazon's mailbox simulator".to_owned(),
        };
        let Account { id, operator, .. } = account;
        format!(
            "make prove deploys Poolkeeper to {place} {id} in {region}, as {operator}.
It walks through everything, and deletes it again. That takes about 15 minutes on AWS.

It creates
  stack {name}: 4 functions with their roles and log groups, an HTTP API, a user pool with 2 clients, an identity pool, an IAM
    role and an IAM policy; for some minutes, two more pools with the same parts
  stack {helpers}: a function, a user pool and IAM roles that only the probes use
  objects below {name}/ in the bucket of the stack aws-sam-cli-managed-default; `sam` creates this stack if it is missing, and
    it stays
It sends {mails}, of the 50 that Cognito sends a day.

It costs less than 1 US cent while the account has fewer than 10,000 monthly active users in Cognito (Essentials plan). Beyond
that, each of about 20 users costs 1.5 cents, together about 30 cents.

If this program is killed, delete what it created:
  {command}",
            region = account.region(),
            command = self.clean_command(account),
        )
    }

    /// What stays, and how it is deleted.
    pub(super) fn what_stays(&self, account: &Account) -> String {
        let Self { name, .. } = self;
        format!(
            "These may still exist in {region}: the stacks {name} and {helpers}, pools with {name} in their names, and objects \
             below {name}/ in the bucket of the stack aws-sam-cli-managed-default. Delete them:\n  {command}",
            region = account.region(),
            helpers = self.helpers(),
            command = self.clean_command(account),
        )
    }

    fn clean_command(&self, account: &Account) -> String {
        let profile = account.profile().map(|profile| format!(" --profile {profile}")).unwrap_or_default();
        format!("make prove ARGUMENTS=\"--region {}{profile} --clean {}\"", account.region(), self.name)
    }
}

/// The stack with what only the probes of this run need.
pub(super) fn helpers(name: &str) -> String {
    format!("{name}-probes")
}

/// The name of an earlier run. Everything with it in its name is deleted, so nothing else is accepted.
///
/// # Errors
/// Returns the reason why it is none.
pub(crate) fn name_of_run(text: &str) -> Result<String, String> {
    let random = text.strip_prefix(PREFIX).unwrap_or_default();
    if random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err(format!("expected the name of a run, {PREFIX} and {RANDOM} lowercase letters and digits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_a_run_makes_can_be_cleaned() {
        for name in ["prove-abcd2345", "prove-abcdefgh"] {
            assert_eq!(name_of_run(name), Ok(name.to_owned()));
        }
        for name in
            ["", "prove-", "prove", "p", "prove-abc", "shop", "prove-ABCD2345", "prove-abcd2345-x", "poolkeeper"]
        {
            assert!(name_of_run(name).is_err(), "{name}");
        }
        assert_eq!(random(RANDOM).map(|random| name_of_run(&format!("{PREFIX}{random}")).is_ok()).ok(), Some(true));
    }
}
