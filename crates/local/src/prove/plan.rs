//! What is about to be created, what it costs, and whether that is wanted.

use std::collections::BTreeMap;
use std::path::PathBuf;

use testkit::local_aws::{Tooling as _, host_architecture};

use super::account::{Account, random, text};
use super::question;
use super::stop::Stop;
use crate::arguments::ProveOptions;
use crate::scene::{FIRST_ADMIN_MAILBOX, Target as _, for_flows, pairs};

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
        let name = format!("prove-{}", random(8)?);
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
        format!("{}-probes", self.name)
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
        let mailbox = account.mailbox().map(|mailbox| format!(", and 1 to {mailbox}")).unwrap_or_default();
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
It sends 3 mails to Amazon's mailbox simulator{mailbox}, of the 50 that Cognito sends a day.

It costs less than 1 US cent while the account has fewer than 10,000 monthly active users in Cognito (Essentials plan). Beyond
that, each of about 15 users costs 1.5 cents, together less than 25 cents.

If this program is killed, delete what it created:
{commands}",
            region = account.region(),
            commands = self.commands(account),
        )
    }

    /// What stays, and how it is deleted.
    pub(super) fn what_stays(&self, account: &Account) -> String {
        let Self { name, .. } = self;
        let helpers = self.helpers();
        format!(
            "These may still exist in {region}: the stacks {name} and {helpers}, and objects below {name}/ in the bucket of the \
             stack aws-sam-cli-managed-default. Delete them:\n{commands}",
            region = account.region(),
            commands = self.commands(account),
        )
    }

    fn commands(&self, account: &Account) -> String {
        let region = account.region();
        let bucket = "$(aws cloudformation describe-stacks --region REGION --stack-name aws-sam-cli-managed-default \
                      --query 'Stacks[0].Outputs[?OutputKey==`SourceBucket`].OutputValue' --output text)"
            .replace("REGION", region);
        let Self { name, .. } = self;
        format!(
            "  aws cloudformation delete-stack --region {region} --stack-name {name}\n  \
             aws cloudformation delete-stack --region {region} --stack-name {helpers}\n  \
             aws s3 rm --region {region} --recursive s3://{bucket}/{name}/",
            helpers = self.helpers(),
        )
    }
}
