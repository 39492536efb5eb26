//! The longer texts of `--help`, at most 80 columns wide.

/// Examples, credentials and exit codes, below the list of commands.
pub(crate) const ALL: &str = "\
Examples:
  poolkeeper schema > pool.schema.json   the JSON Schema of a spec
  poolkeeper plan --spec pool.json       show the changes without applying them
  poolkeeper apply --spec pool.json      apply the changes, and verify the pool

Credentials and region come from the same sources as in other AWS tools:
environment variables, ~/.aws/config and ~/.aws/credentials (keys, assumed
roles, SSO, `aws login`, credential processes), ECS and EC2 metadata. --profile
takes precedence over keys in the environment.

Exit codes:
    0  success
    1  the action failed; completed steps are kept, run it again to continue
    2  wrong usage or invalid spec; nothing was changed
    3  with `plan --exit-code`: there are changes
    4  no access to AWS: no region, no credentials or no permission
    5  `destroy` deleted nothing, because everything was retained
    6  `doctor` found an error or a warning
    7  `users import` or `restore` skipped rows or rows failed, or
       `users verify` or `diff` found differences
  130  interrupted; completed steps are kept, run it again to continue";

pub(crate) const PLAN: &str = "\
Signs: + create, ~ change, = unchanged, > adopt (left by an interrupted run)

Examples:
  poolkeeper plan --spec pool.json
  jq '.name = \"shop-staging\"' pool.json | poolkeeper plan --spec -

In a pipeline, to continue only if there are changes (exit code 3):
  poolkeeper plan --spec pool.json --exit-code --json > plan.json";

pub(crate) const APPLY: &str = "\
You can repeat `apply` at any time. A second run changes nothing. A run after
a failure continues.

Examples:
  poolkeeper apply --spec pool.json
  poolkeeper apply --spec pool.json --profile staging --region eu-west-1
  poolkeeper apply --spec pool.json --json | jq -r .user_pool_id";

pub(crate) const VERIFY: &str = "\
The pool must exist. Run `poolkeeper apply` first. The test user is deleted at
the end, even after a failure.

Example:
  poolkeeper verify --spec pool.json";

pub(crate) const DESTROY: &str = "\
Deletes only resources with the tag `poolkeeper:pool` of this pool. If the
spec's `on_delete` is `retain` (the default) or the pool has deletion
protection, everything is retained.

Examples:
  poolkeeper destroy --spec pool.json         asks for the pool's name first
  poolkeeper destroy --spec pool.json --yes   does not ask, for pipelines";

/// Shorter than the generated usage, which is longer than a line.
pub(crate) const DOCTOR_USAGE: &str = "poolkeeper doctor [OPTIONS] <--stack NAME|--spec FILE|--user-pool-id ID>";

pub(crate) const DOCTOR: &str = "\
Reads settings that put users at risk, differences from the spec, quotas,
triggers and the sender of e-mail. Prints each finding with its reason and the
command that fixes it. docs/doctor.md lists the checks and the permissions.

Signs: ✗ error, ~ warning, = note (only with --all)

Examples:
  poolkeeper doctor --stack shop
  poolkeeper doctor --spec pool.json
  poolkeeper doctor --user-pool-id eu-west-1_AbCdEfGhI --json

In a pipeline, to stop after an error or a warning (exit code 6):
  poolkeeper doctor --spec pool.json || exit 1";

pub(crate) const SESSIONS: &str = "\
Example:
  poolkeeper sessions revoke --table TABLE --user SUB";

pub(crate) const SESSIONS_REVOKE: &str = "\
Services that check revocations, such as the admin API and the authorizer,
reject the tokens immediately. Cognito accepts access and refresh tokens at its
own API until they expire. To end a user's sessions there as well, sign the
user out with the admin API. You can repeat the command at any time.

The clock of this computer must be right: \"now\" is its time, and later
sign-ins are denied until then. Requires dynamodb:UpdateItem on the table.

Examples:
  poolkeeper sessions revoke --table shop-Revocations-1 --user 0e6f3f3b-…
  poolkeeper sessions revoke --table shop-Revocations-1 --all";

/// Shorter than the generated usage, which is longer than a line.
pub(crate) const BACKUP_USAGE: &str = "poolkeeper backup FILE <--stack NAME|--spec FILE|--user-pool-id ID>";

pub(crate) const BACKUP: &str = "\
The archive contains personal data, and no passwords and client secrets. Only
its owner can read it. The output lists what is not in the backup.

Example:
  poolkeeper backup shop.tar --stack shop";

pub(crate) const RESTORE: &str = "\
Checks the archive, creates the pool with the settings of the backup, its
groups, and then its users without passwords. Users set a password with
\"forgot password\". The new pool has no triggers and no self sign-up. The
output lists what is not restored.

To continue an interrupted restore, run the same command again. A pool with the
name that another command created is not changed.

Examples:
  poolkeeper restore shop.tar --name shop-restored --dry-run
  poolkeeper restore shop.tar --name shop-restored";

pub(crate) const DIFF_USAGE: &str = "poolkeeper diff FILE <--stack NAME|--spec FILE|--user-pool-id ID>";

pub(crate) const DIFF: &str = "\
Compares settings, app clients, groups, and users with their attributes and
groups. Second factors are not compared. The exit code is 7 after a difference.

Example:
  poolkeeper diff shop.tar --stack shop";

pub(crate) const USERS: &str = "\
Example:
  poolkeeper users export users.jsonl --stack shop
  poolkeeper users import users.jsonl --stack shop-new";

pub(crate) const USERS_IMPORT_USAGE: &str = "poolkeeper users import FILE <--stack NAME|--spec FILE|--user-pool-id ID>";

pub(crate) const USERS_IMPORT: &str = "\
Each row has a result: created, updated, unchanged, skipped or failed, with the
reason. A row can be imported again at any time: an existing user is compared
and, without --update, not changed. To continue an interrupted import, run the
same command again. docs/user-files.md describes the format.

Passwords and invitations are for new users only. A new user without a password
or an invitation sets a password with \"forgot password\".

Password hashes require an import job of Cognito (--import-job-role). After
Ctrl-C, a job continues in Cognito, and the same command waits for its end.

Examples:
  poolkeeper users import users.jsonl --stack shop --dry-run
  poolkeeper users import users.jsonl --stack shop
  poolkeeper users import users.csv --user-pool-id eu-west-1_AbCdEfGhI --update

The failed rows, with their reasons:
  jq -c 'select(.outcome == \"failed\")' users.jsonl.results.jsonl";

pub(crate) const USERS_EXPORT_USAGE: &str = "poolkeeper users export FILE <--stack NAME|--spec FILE|--user-pool-id ID>";

pub(crate) const USERS_EXPORT: &str = "\
The file contains personal data. Only its owner can read it.

Examples:
  poolkeeper users export users.jsonl --stack shop
  poolkeeper users export - --stack shop | jq -r .attributes.email";

pub(crate) const USERS_VERIFY_USAGE: &str = "poolkeeper users verify FILE <--stack NAME|--spec FILE|--user-pool-id ID>";

pub(crate) const USERS_VERIFY: &str = "\
Compares attributes, groups and whether users are enabled. Attributes and
groups that a row does not contain are not compared.

Example:
  poolkeeper users verify users.jsonl --stack shop-new";

pub(crate) const USERS_SCHEMA: &str = "\
Example:
  poolkeeper users schema > users.schema.json";

pub(crate) const SCHEMA: &str = "\
Example:
  poolkeeper schema > pool.schema.json

For completion and validation in Visual Studio Code, add to settings.json:
  \"json.schemas\": [
    {\"fileMatch\": [\"pool*.json\"], \"url\": \"./pool.schema.json\"}
  ]";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  poolkeeper completions bash \\
    > ~/.local/share/bash-completion/completions/poolkeeper
  poolkeeper completions fish > ~/.config/fish/completions/poolkeeper.fish
  poolkeeper completions zsh > \"${fpath[1]}/_poolkeeper\"";
