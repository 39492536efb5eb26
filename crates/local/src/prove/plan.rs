//! The plan of a run: what it creates, what that costs, and the operator's consent.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use testkit::local_aws::{Tooling as _, host_architecture};

use super::account::{Account, random, text};
use super::error::ProveError;
use super::prompt;
use crate::arguments::{ProveOptions, RUN_PREFIX, RUN_RANDOM_CHARS};
use crate::deployment::{FIRST_ADMIN_MAILBOX, Target as _, for_flows, pairs};
use crate::flows::session_gate;

/// The allowed CORS origin.
pub(super) const ORIGIN: &str = "https://prove.example";

/// The parameters that the operator cannot set. With the name of another pool, a run would adopt and delete that pool.
/// The probes depend on the other parameters.
const RESERVED: [&str; 8] = [
    "PoolName",
    "OnDelete",
    "DeletionProtection",
    "LimitRights",
    "LocalReplyHost",
    "Architecture",
    "AllowedOrigins",
    "PassableRoleArns",
];

/// The name, template and parameters of a run.
pub(super) struct Plan {
    /// The name of the stack, and part of the name of everything else.
    pub(super) name: String,
    /// The built template.
    pub(super) template: PathBuf,
    /// Its parameters.
    pub(super) parameters: BTreeMap<String, String>,
    /// The names of the parameters that the operator set.
    pub(super) given: BTreeSet<String>,
    /// The versions of project and tools.
    pub(super) versions: String,
}

impl Plan {
    /// Plans a run. Creates nothing.
    ///
    /// # Errors
    /// Returns [`ProveError::Usage`] if the operator sets a parameter that is reserved or unknown.
    pub(super) async fn new(account: &Account, options: &ProveOptions) -> Result<Self, ProveError> {
        let name = format!("{RUN_PREFIX}{}", random(RUN_RANDOM_CHARS)?);
        // The emulator runs unoptimized functions on this machine and does not support conditions on tags.
        let (template, architecture, limited) = if account.is_emulator() {
            (account.tools().built_template()?, host_architecture(), "false")
        } else {
            (account.tools().template_for_aws()?, &*options.architecture, "true")
        };
        let given: BTreeSet<String> = options.parameters.iter().map(|(name, _)| name.clone()).collect();
        ensure_can_be_given(&given, &fs::read_to_string(&template)?).map_err(ProveError::Usage)?;
        let first_admin = account.address(FIRST_ADMIN_MAILBOX);
        let of_account = pairs(&[
            ("PoolName", &*name),
            ("FirstAdminEmail", &*first_admin),
            ("LimitRights", limited),
            ("LocalReplyHost", account.emulator_host()),
            ("Architecture", architecture),
            ("LogRetentionDays", "1"),
        ]);
        let parameters = for_flows().chain(of_account).chain(options.parameters.iter().cloned()).collect();
        let versions = account.script(&["versions", env!("CARGO_MANIFEST_DIR")], None).await?;
        let versions =
            versions.as_object().into_iter().flatten().map(|(name, version)| format!("{name} {}", text(version)));
        Ok(Self { name, template, parameters, given, versions: versions.collect::<Vec<_>>().join(", ") })
    }

    /// The name of the probes' stack.
    pub(super) fn helpers(&self) -> String {
        helpers(&self.name)
    }

    /// Prints what the run creates, and asks for confirmation.
    pub(super) async fn confirm(&self, account: &Account, sure: bool) -> Result<(), ProveError> {
        println!("{}", self.announcement(account));
        if sure {
            return Ok(());
        }
        match &*prompt::ask("\nCreate and delete these resources? Type yes: ").await {
            "yes" => Ok(()),
            "" => Err(ProveError::Declined("no confirmation. Nothing was created. Pass --yes to skip the question")),
            _ => Err(ProveError::Declined("declined. Nothing was created.")),
        }
    }

    fn announcement(&self, account: &Account) -> String {
        let Self { name, .. } = self;
        let (gated, helpers) = (session_gate::stack_name(name), self.helpers());
        let place = if account.is_emulator() { "the emulator at AWS_ENDPOINT_URL, account" } else { "the AWS account" };
        let mails = match account.mailbox() {
            Some(mailbox) => format!("2 mails to Amazon's mailbox simulator and 1 to {mailbox}"),
            None => "3 mails to Amazon's mailbox simulator".to_owned(),
        };
        let Account { id, operator, .. } = account;
        format!(
            "make prove deploys Poolkeeper to {place} {id} in {region}, as {operator}.
It runs the flows and the probes, and then deletes its resources. A run takes about 15 minutes on AWS.

It creates
  stack {name}: 5 functions with their roles and log groups, an HTTP API, a DynamoDB table, a user pool with 2 clients, an identity
    pool, an IAM role, an IAM policy and its permissions boundary
  user pools {name}.second, {name}.copy, {name}.tags and {name}.role: one after the other, each for a few minutes and with
    2 clients, an identity pool, an IAM role and an IAM policy
  stack {gated}: an HTTP API, a function with its role, and a log group
  stack {helpers}: a function, a user pool and IAM roles for the probes
  objects with the prefixes {name}/ and {gated}/ in the bucket of the stack aws-sam-cli-managed-default; `sam` creates this
    stack if it is missing, and the run does not delete it
It sends {mails}. The messages count toward Cognito's quota of 50 per day.

A run costs less than 1 US cent while the account has fewer than 10,000 monthly active users in Cognito (Essentials plan).
Above that number, each of the about 40 users costs 1.5 cents, about 60 cents in total.

If this program is killed, delete its resources:
  {command}",
            region = account.region(),
            command = self.clean_command(account),
        )
    }

    /// The resources that may be left, with the command that deletes them.
    pub(super) fn what_stays(&self, account: &Account) -> String {
        let Self { name, .. } = self;
        format!(
            "These resources may still exist in {region}: the stacks {name}, {gated} and {helpers}, pools with {name} in their \
             names, and objects with the prefixes {name}/ and {gated}/ in the bucket of the stack \
             aws-sam-cli-managed-default. Delete them:\n  {command}",
            region = account.region(),
            gated = session_gate::stack_name(name),
            helpers = self.helpers(),
            command = self.clean_command(account),
        )
    }

    fn clean_command(&self, account: &Account) -> String {
        let profile = account.profile().map(|profile| format!(" --profile {profile}")).unwrap_or_default();
        format!("make prove ARGUMENTS=\"--region {}{profile} --clean {}\"", account.region(), self.name)
    }
}

/// Checks the parameters that the operator gave.
///
/// # Errors
/// Returns the reason why a parameter is rejected.
fn ensure_can_be_given(names: &BTreeSet<String>, template: &str) -> Result<(), String> {
    for name in names {
        if RESERVED.contains(&&**name) {
            return Err(format!("--parameter {name} cannot be given: make prove sets {name} itself"));
        }
        if !has_parameter(template, name) {
            return Err(format!("unknown parameter `{name}` of template.yaml"));
        }
    }
    Ok(())
}

/// Whether a template has a parameter, in the layout that `sam build` writes.
fn has_parameter(template: &str, name: &str) -> bool {
    let (_, parameters) = template.split_once("\nParameters:\n").unwrap_or_default();
    let indented = |line: &&str| line.is_empty() || line.starts_with(' ') || line.starts_with('#');
    parameters.lines().take_while(indented).any(|line| line == format!("  {name}:"))
}

/// The name of the probes' stack of a run.
pub(super) fn helpers(name: &str) -> String {
    format!("{name}-probes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_reserved_and_unknown_parameters() {
        let template = "Transform: x\nParameters:\n  PoolName:\n    Type: String\n  Roles:\n    Type: String\n\nResources:\n  \
                        Api:\n    Type: X\n";
        let given = |name: &str| ensure_can_be_given(&BTreeSet::from(["Roles".to_owned(), name.to_owned()]), template);
        assert_eq!(given("Roles"), Ok(()));
        for name in RESERVED {
            let reason = given(name).unwrap_err();
            assert!(reason.contains(name) && reason.contains("cannot be given"), "{reason}");
        }
        for name in ["Rolse", "Api", "Type", "", "ParameterKey", "poolname"] {
            assert_eq!(given(name), Err(format!("unknown parameter `{name}` of template.yaml")));
        }
    }
}
