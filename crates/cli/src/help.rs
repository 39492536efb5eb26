//! The longer texts of `--help`, at most 80 columns wide.

/// What every command needs to know, below the list of commands.
pub(crate) const ALL: &str = "\
Examples:
  poolkeeper schema > pool.schema.json   what a spec can say, for your editor
  poolkeeper plan --spec pool.json       what would be done; changes nothing
  poolkeeper apply --spec pool.json      do it, and prove it by a sign-in

Credentials and region are taken as every AWS tool takes them: environment
variables, ~/.aws/config and ~/.aws/credentials (keys, assumed roles, SSO,
`aws login`, credential processes), ECS and EC2 metadata. A profile that is
passed as --profile wins over keys in the environment.

Exit codes:
    0  done
    1  the action failed; what was done stands, run it again to go on
    2  wrong usage or a wrong spec; nothing was touched
    3  with `plan --exit-code`: there is something to change
    4  AWS does not let you in: no region, no credentials, no permission
  130  interrupted; what was done stands, run it again to go on";

pub(crate) const PLAN: &str = "\
Signs: + create, ~ change, = leave, > take over (an interrupted run left it)

Examples:
  poolkeeper plan --spec pool.json
  jq '.name = \"shop-staging\"' pool.json | poolkeeper plan --spec -

In a pipeline, to go on only where there is something to do (exit code 3):
  poolkeeper plan --spec pool.json --exit-code --json > plan.json";

pub(crate) const APPLY: &str = "\
It can be repeated at any time: a second run changes nothing, a run after a
failure goes on.

Examples:
  poolkeeper apply --spec pool.json
  poolkeeper apply --spec pool.json --profile staging --region eu-west-1
  poolkeeper apply --spec pool.json --json | jq -r .user_pool_id";

pub(crate) const VERIFY: &str = "\
The pool has to be there: run `poolkeeper apply` first. The throw-away user is
deleted at the end, also after a failure.

Example:
  poolkeeper verify --spec pool.json";

pub(crate) const DESTROY: &str = "\
Only what carries our tag is taken away. Where the spec's `on_delete` is
`retain` (the default), or the pool has deletion protection, everything is left
in place.

Examples:
  poolkeeper destroy --spec pool.json         asks for the pool's name first
  poolkeeper destroy --spec pool.json --yes   does not ask: for pipelines";

pub(crate) const SCHEMA: &str = "\
Example:
  poolkeeper schema > pool.schema.json

For completion and checks in Visual Studio Code, add to settings.json:
  \"json.schemas\": [
    {\"fileMatch\": [\"pool*.json\"], \"url\": \"./pool.schema.json\"}
  ]";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  poolkeeper completions bash \\
    > ~/.local/share/bash-completion/completions/poolkeeper
  poolkeeper completions fish > ~/.config/fish/completions/poolkeeper.fish
  poolkeeper completions zsh > \"${fpath[1]}/_poolkeeper\"";
