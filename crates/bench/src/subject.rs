//! The measured programs, by operation. The first program of each row is Poolkeeper's.

use std::path::{Path, PathBuf};

use hyper::body::Bytes;
use serde_json::Value;

use crate::cognito::Endpoint;
use crate::error::BenchError;
use crate::events::{self, Operation};
use crate::pool::{CLIENT_ID, ISSUER, POOL_ID, TABLE};

/// Programs that do the same job.
#[derive(Debug)]
pub(crate) struct Row {
    /// The operation.
    pub(crate) name: &'static str,
    /// Whether the chart contains this row, because its programs start differently from those of other rows.
    pub(crate) charted: bool,
    /// The programs, Poolkeeper's first.
    pub(crate) programs: Vec<Program>,
}

/// A program and what it receives.
#[derive(Debug)]
pub(crate) struct Program {
    /// The name in tables.
    pub(crate) name: &'static str,
    /// The file whose size is reported.
    pub(crate) file: PathBuf,
    /// How the program runs.
    pub(crate) kind: Kind,
    /// How the program reaches AWS.
    pub(crate) endpoint: Endpoint,
    /// The settings of the function.
    pub(crate) settings: &'static [(&'static str, &'static str)],
}

/// How a program runs.
#[derive(Debug)]
pub(crate) enum Kind {
    /// A function in machine code.
    Native(Job),
    /// A function for Node.js.
    Node(Job),
    /// A command that ends by itself, with its argument.
    Command(&'static str),
}

/// What a function receives and must return.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// The event.
    pub(crate) event: Bytes,
    /// Whether the response is correct.
    pub(crate) expected: fn(&Value) -> bool,
}

/// The name of the row whose program lists users.
pub(crate) const LIST_USERS: &str = "list 60 users";

/// The name of the row that measures a library, whose program is not deployed.
const VERIFY_TOKEN: &str = "verify a token 100 times";

/// The settings of `admin-api`.
pub(crate) const ADMIN_API: &[(&str, &str)] =
    &[("ROUTES", "admin"), ("COGNITO_CLIENT_ID", CLIENT_ID), ("ISSUER", ISSUER), ("ROLES", "admins=all")];
/// The settings of `authorizer`. The JWKS document contains the key of [`events::authorization`].
const AUTHORIZER: &[(&str, &str)] = &[
    ("ISSUER", ISSUER),
    ("CLIENT_IDS", CLIENT_ID),
    ("JWKS", include_str!("tokens/jwks.json")),
    ("REVOCATION_TABLE", TABLE),
];
const PRE_SIGN_UP: &[(&str, &str)] = &[
    ("AUTO_CONFIRM", "trusted-domains"),
    ("TRUSTED_EMAIL_DOMAINS", "example.com,*.example.org"),
    ("DENIED_EMAIL_DOMAINS", "mailinator.example"),
];

/// The settings of every function: those of Lambda, and the user pool.
pub(crate) const ENVIRONMENT: [(&str, &str); 8] = [
    ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_REGION", crate::pool::REGION),
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "example"),
    ("AWS_SESSION_TOKEN", "example"),
    ("USER_POOL_ID", POOL_ID),
];

/// All rows, with programs in this target directory.
pub(crate) fn all(target: &Path) -> Result<Vec<Row>, BenchError> {
    let sign_up = Job { event: events::sign_up(), expected: events::is_confirmed };
    let plan = |expected| Job { event: events::plan(), expected };
    let native = |name, job, settings| {
        let file = target.join("lambda").join(name).join("bootstrap");
        Program { name, file, kind: Kind::Native(job), endpoint: Endpoint::Http, settings }
    };
    let node = |name, bundle: &str, job| {
        let file = target.join("bench/node").join(bundle);
        Program { name, file, kind: Kind::Node(job), endpoint: Endpoint::Http, settings: &[] }
    };
    let authorization = Job { event: events::authorization()?, expected: events::is_authorized };
    let admin_api = |name, operation: Operation, endpoint| {
        let job = Job { event: operation.http_api()?, expected: events::is_success };
        let mut programs = vec![
            native("admin-api", job.clone(), ADMIN_API),
            native("bare-admin-api", job.clone(), &[]),
            node("Node.js, plain handler", "handler.js", job),
        ];
        if let Some(event) = operation.admin_queries()? {
            let job = Job { event, expected: events::is_success };
            programs.push(node("Node.js, AdminQueries", "admin-queries.js", job));
        }
        for program in &mut programs {
            program.endpoint = endpoint;
        }
        let charted = endpoint == Endpoint::Http && matches!(operation, Operation::GetUser);
        Ok::<_, BenchError>(Row { name, charted, programs })
    };
    let command = Program {
        name: "poolkeeper",
        file: target.join("release/poolkeeper"),
        kind: Kind::Command("--version"),
        endpoint: Endpoint::Http,
        settings: &[],
    };
    Ok(vec![
        Row {
            name: "sign-up",
            charted: true,
            programs: vec![
                native("pre-sign-up", sign_up.clone(), PRE_SIGN_UP),
                native("floor", sign_up.clone(), &[]),
                native("bare-pre-sign-up", sign_up.clone(), &[]),
                node("Node.js", "pre-sign-up.js", sign_up),
            ],
        },
        admin_api("get a user", Operation::GetUser, Endpoint::Http)?,
        admin_api("get a user, https", Operation::GetUser, Endpoint::Https)?,
        admin_api(LIST_USERS, Operation::ListUsers, Endpoint::Http)?,
        admin_api("create a user", Operation::CreateUser, Endpoint::Http)?,
        admin_api("disable a user", Operation::DisableUser, Endpoint::Http)?,
        admin_api("disable a user, 10 ms away", Operation::DisableUser, Endpoint::Remote)?,
        Row {
            name: "authorize a request",
            charted: true,
            programs: vec![
                native("authorizer", authorization.clone(), AUTHORIZER),
                native("bare-authorizer", authorization.clone(), AUTHORIZER),
                Program {
                    settings: AUTHORIZER,
                    ..node("Node.js, aws-jwt-verify", "authorizer.js", authorization.clone())
                },
            ],
        },
        Row {
            name: VERIFY_TOKEN,
            charted: false,
            programs: vec![
                native("verify-token", authorization.clone(), AUTHORIZER),
                Program { settings: AUTHORIZER, ..node("Node.js, aws-jwt-verify", "verify-token.js", authorization) },
            ],
        },
        Row {
            name: "plan of an existing pool",
            charted: true,
            programs: vec![
                native("pool-bootstrap", plan(events::is_up_to_date), &[]),
                native("bare-pool-bootstrap", plan(events::is_any), &[]),
            ],
        },
        Row { name: "poolkeeper --version", charted: true, programs: vec![command] },
    ])
}

impl Row {
    /// Poolkeeper's program, if it is a part of a release.
    pub(crate) fn released(&self) -> Option<&Program> {
        self.programs.first().filter(|_| self.name != VERIFY_TOKEN)
    }

    /// Poolkeeper's program with its job, if it is a deployed function over HTTP.
    ///
    /// Rows with other endpoints only repeat an operation. Under valgrind, a TLS handshake can exceed the time limit of
    /// the warm-up, and the first call then opens a second connection.
    pub(crate) fn function(&self) -> Option<(&Program, &Job)> {
        let program = self.released().filter(|program| program.endpoint == Endpoint::Http)?;
        match &program.kind {
            Kind::Native(job) => Some((program, job)),
            Kind::Node(_) | Kind::Command(_) => None,
        }
    }
}

/// The rows whose name or whose programs' names contain one of the texts; all rows if there are no texts.
pub(crate) fn select(rows: Vec<Row>, only: &[String]) -> Result<Vec<Row>, BenchError> {
    let contains = |row: &Row, text: &str| {
        row.name.contains(text) || row.programs.first().is_some_and(|program| program.name.contains(text))
    };
    if let Some(unknown) = only.iter().find(|text| !rows.iter().any(|row| contains(row, text))) {
        let names: Vec<_> = rows.iter().map(|row| row.name).collect();
        return Err(BenchError::UnknownRow(unknown.clone(), names.join("; ")));
    }
    Ok(rows.into_iter().filter(|row| only.is_empty() || only.iter().any(|text| contains(row, text))).collect())
}
