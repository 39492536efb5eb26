//! Runs the examples in `examples/`: two back ends with the same routes, and a page in a browser. The scripts in
//! `tests/examples` sign tokens and drive the browser.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::{env, fs};

use axum::Router;
use axum::routing::get;
use domain::secret::Secret;
use local::api::{Answer, Api};
use local::deployment::{DENIED_DOMAIN, Deployment, FIRST_ADMIN, Target as _};
use local::flows::first_admin;
use local::report::Report;
use reqwest::Method;
use serde_json::{Map, Value, json};
use testkit::local_aws::{Tooling as _, Tools, output_of};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{VENV, deploy, emulator_environment};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples");

const PASSWORD: &str = "Correct-Horse-1";
const NEW_PASSWORD: &str = "Correct-Horse-2";
const WRONG_PASSWORD: &str = "Wrong-Horse-1";

/// The code that the emulator sends after each sign-up.
const CODE: &str = "123456";

#[tokio::test]
async fn examples_serve_users_and_reject_revoked_tokens() {
    for packages in ["express", "fastapi", "web", "browser"] {
        let ready = format!("{VENV}/examples-{packages}/ready");
        assert!(Path::new(&ready).is_file(), "{ready} is missing; run `make test`");
    }
    let policy = [("AutoConfirm", "trusted-domains"), ("TrustedEmailDomains", "example.com")];
    let deployment = deploy(&policy).await;
    let admin = first_admin::sign_in(&deployment, &mut Report::quiet()).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let signed = SignedTokens::serve(&deployment).await;
    let examples = Examples { deployment: &deployment, admin_password: &admin.password, directory: directory.path() };
    tokio::join!(examples.check("express", &signed), examples.check("fastapi", &signed), examples.check_page());
}

/// Tokens whose key the back ends trust in addition to the keys of the user pool.
struct SignedTokens {
    /// The URL of the key set.
    url: String,
    valid: Secret,
    /// By the reason why they are invalid.
    invalid: Map<String, Value>,
}

impl SignedTokens {
    async fn serve(deployment: &Deployment) -> Self {
        let output = |name| deployment.stack.output(name).unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let pool_keys = http.get(pool_keys_url(deployment)).send().await.unwrap().text().await.unwrap();
        let script = format!("{SCRIPTS}/tokens.py");
        let arguments = [script.as_str(), output("Issuer"), output("WebClientId"), &pool_keys];
        let ran = deployment.aws.run("python", &arguments, None).await.unwrap();
        assert!(ran.succeeded, "{}", ran.last_lines());
        let tokens: Value = serde_json::from_str(&ran.stdout).unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let keys = tokens["jwks"].to_string();
        let router = Router::new().route("/", get(async || keys));
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, valid: secret(&tokens["valid"]), invalid: tokens["invalid"].as_object().unwrap().clone() }
    }
}

fn pool_keys_url(deployment: &Deployment) -> String {
    let pool = deployment.stack.output("UserPoolId").unwrap();
    format!("{}/{pool}/.well-known/jwks.json", deployment.aws.endpoint_url())
}

fn secret(value: &Value) -> Secret {
    Secret::new(value.as_str().unwrap())
}

struct Examples<'a> {
    deployment: &'a Deployment,
    admin_password: &'a Secret,
    directory: &'a Path,
}

impl Examples<'_> {
    /// Checks a back end with the session gate, without the gate, and with an unreachable gate.
    async fn check(&self, example: &str, signed: &SignedTokens) {
        let pool_keys = pool_keys_url(self.deployment);
        self.copy(example);
        let gated = [("JWKS_URL", pool_keys.as_str())];
        let ungated =
            [("JWKS_URL", signed.url.as_str()), ("SESSION_GATE", "false"), ("ADMIN_PASSWORD", WRONG_PASSWORD)];
        let unreachable = [("JWKS_URL", signed.url.as_str()), ("API", &signed.url)];
        let (gated, ungated, unreachable) = tokio::join!(
            self.start(example, &gated),
            self.start(example, &ungated),
            self.start(example, &unreachable),
        );
        self.sign_up(&gated, example).await;
        let token = self.sign_in(&gated, example).await;
        let admin = self.add_staff(&gated, example, &token).await;
        // The service's own wrong password is not an error of the caller.
        let member = json!({"username": "member", "email": "member@example.com"});
        ungated.post("/staff", Some(&admin), &member).await.expect_refusal(500, "internal").unwrap();

        // Without the gate, the token of an ended session is valid until it expires.
        let ended = sign_out(&gated, example).await;
        ungated.profile(&ended).await.expect(200).unwrap();
        ungated.profile(&signed.valid).await.expect(200).unwrap();
        for (reason, token) in &signed.invalid {
            let answer = ungated.profile(&secret(token)).await;
            assert_eq!(answer.summary(), "401 unauthenticated", "{example}: a token {reason}");
        }
        unreachable.profile(&signed.valid).await.expect_refusal(503, "unavailable").unwrap();

        for back_end in [gated, ungated, unreachable] {
            let log = back_end.stop().await;
            for secret in [PASSWORD, NEW_PASSWORD, WRONG_PASSWORD, self.admin_password.expose(), "eyJ"] {
                assert!(!log.contains(secret), "{example} logs {secret}:\n{log}");
            }
        }
    }

    /// Signs up one user who is confirmed immediately, and one with a code.
    async fn sign_up(&self, back_end: &BackEnd, name: &str) {
        let user = |name: &str, domain: &str, password: &str| {
            let email = format!("{name}@{domain}");
            json!({"username": name, "password": password, "email": email})
        };
        let sign_up = async |body: &Value| back_end.post("/sign-up", None, body).await;
        for (body, refusal) in [
            (user(name, DENIED_DOMAIN, PASSWORD), "422 sign-up-refused"),
            (user(name, "example.com", "weak"), "422 invalid-password"),
            (json!({"username": name}), "400 invalid-request"),
        ] {
            assert_eq!(sign_up(&body).await.summary(), refusal, "{name}");
        }
        let refused = sign_up(&user(name, DENIED_DOMAIN, PASSWORD)).await.into_body();
        assert_eq!(refused["message"], "E-mail addresses of this domain cannot be used to sign up.", "{name}");
        let confirmed = user(name, "example.com", PASSWORD);
        assert_eq!(sign_up(&confirmed).await.expect(201).unwrap(), json!({"confirmed": true}));
        sign_up(&confirmed).await.expect_refusal(409, "user-exists").unwrap();

        let other = format!("{name}-code");
        let unconfirmed = user(&other, "example.net", PASSWORD);
        assert_eq!(sign_up(&unconfirmed).await.expect(201).unwrap(), json!({"confirmed": false}));
        let credentials = json!({"username": other, "password": PASSWORD});
        let early = back_end.post("/sign-in", None, &credentials).await;
        early.expect_refusal(403, "user-not-confirmed").unwrap();
        let confirm = async |code: &str| {
            let body = json!({"username": other, "code": code});
            back_end.post("/confirm", None, &body).await
        };
        confirm("000000").await.expect_refusal(422, "code-mismatch").unwrap();
        confirm(CODE).await.expect(204).unwrap();
        back_end.post("/sign-in", None, &credentials).await.expect(200).unwrap();
    }

    /// Signs the user in, and returns an access token.
    async fn sign_in(&self, back_end: &BackEnd, name: &str) -> Secret {
        for (username, password) in [(name, WRONG_PASSWORD), ("nobody", PASSWORD)] {
            let wrong = json!({"username": username, "password": password});
            back_end.post("/sign-in", None, &wrong).await.expect_refusal(401, "invalid-credentials").unwrap();
        }
        let tokens = back_end.tokens(name, PASSWORD).await;
        let refresh = json!({"username": name, "refresh_token": tokens["refresh_token"]});
        let refreshed = back_end.post("/refresh", None, &refresh).await.expect(200).unwrap()["tokens"].take();
        let made_up = json!({"username": name, "refresh_token": "made-up"});
        back_end.post("/refresh", None, &made_up).await.expect_refusal(401, "invalid-credentials").unwrap();

        let token = secret(&refreshed["access_token"]);
        let profile = back_end.profile(&token).await.expect(200).unwrap();
        assert_eq!((&profile["username"], &profile["groups"]), (&json!(name), &json!([])), "{profile}");
        back_end.call(Method::GET, "/profile", None).await.expect_refusal(401, "unauthenticated").unwrap();
        for other in [&tokens["id_token"], &json!("made-up")] {
            back_end.profile(&secret(other)).await.expect_refusal(401, "unauthenticated").unwrap();
        }
        token
    }

    /// Creates a member of staff, and returns the administrator's token. `token` is of a user without groups.
    async fn add_staff(&self, back_end: &BackEnd, name: &str, token: &Secret) -> Secret {
        let member = format!("{name}-staff");
        let address = format!("{member}@example.com");
        let body = json!({"username": member, "email": address});
        back_end.post("/staff", None, &body).await.expect_refusal(401, "unauthenticated").unwrap();
        back_end.post("/staff", Some(token), &body).await.expect_refusal(403, "forbidden").unwrap();
        let admin = back_end.tokens(FIRST_ADMIN, self.admin_password.expose()).await;
        let admin = secret(&admin["access_token"]);
        let created = back_end.post("/staff", Some(&admin), &body).await.expect(201).unwrap();
        assert_eq!(created, json!({"username": member, "status": "FORCE_CHANGE_PASSWORD"}));
        back_end.post("/staff", Some(&admin), &body).await.expect_refusal(409, "user-exists").unwrap();

        // The new member signs in with the mailed password.
        let temporary = self.deployment.aws.temporary_password("", &member, &address).await.unwrap();
        let credentials = json!({"username": member, "password": temporary.expose()});
        let challenge = back_end.post("/sign-in", None, &credentials).await.expect(200).unwrap()["challenge"].take();
        assert_eq!(challenge["name"], "NEW_PASSWORD_REQUIRED");
        let answer = json!({"username": member, "session": challenge["session"], "new_password": NEW_PASSWORD});
        back_end.post("/new-password", None, &answer).await.expect(200).unwrap();
        back_end.tokens(&member, NEW_PASSWORD).await;
        admin
    }

    /// Builds the page, and drives it in a browser.
    async fn check_page(&self) {
        self.copy("web");
        let mut build = self.command("node", "web", &[]);
        build.arg("build.js");
        let output = output_of(build, "node", None).await.unwrap();
        assert!(output.succeeded, "{}", output.last_lines());
        let page = self.directory.join("web/dist");
        for file in ["config.json", "index.html", "main.js", "style.css"] {
            assert!(page.join(file).is_file(), "{file}");
        }

        let results = Tools::find().unwrap().target_folder().join("examples");
        fs::create_dir_all(&results).unwrap();
        let screenshot = results.join("page.png");
        let mut drive = self.command("node", "web", &[("CODE", CODE), ("DENIED_DOMAIN", DENIED_DOMAIN)]);
        drive
            .arg("--input-type=module")
            // Node.js finds the packages of a module on standard input in the current directory.
            .current_dir(format!("{VENV}/examples-browser"))
            .env("TMPDIR", self.directory)
            .env("DIST", &page)
            .env("SCREENSHOT", &screenshot);
        if let Some(browser) = browser() {
            drive.env("CHROMIUM", browser);
        }
        let script = fs::read_to_string(format!("{SCRIPTS}/page.mjs")).unwrap();
        let driven = output_of(drive, "node", Some(&script)).await.unwrap();
        assert!(driven.succeeded, "{}", driven.last_lines());
        match driven.stdout.trim() {
            "passed" => assert!(screenshot.is_file()),
            // `make test` prints the file at its end.
            skipped if skipped.starts_with("not run: ") => fs::write(results.join("not-run"), &driven.stdout).unwrap(),
            other => unreachable!("{other}"),
        }
    }

    /// Copies an example beside its packages, because Node.js finds packages only in parent directories.
    fn copy(&self, example: &str) {
        let copy = self.directory.join(example);
        fs::create_dir(&copy).unwrap();
        for entry in fs::read_dir(Path::new(ROOT).join("examples").join(example)).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
            }
        }
        let packages = Path::new(VENV).join(format!("examples-{example}")).join("node_modules");
        if packages.is_dir() {
            std::os::unix::fs::symlink(packages, copy.join("node_modules")).unwrap();
        }
    }

    async fn start(&self, example: &str, variables: &[(&str, &str)]) -> BackEnd {
        let (program, arguments): (_, &[&str]) = match example {
            "express" => (PathBuf::from("node"), &["server.js"]),
            _ => (format!("{VENV}/examples-fastapi/bin/python").into(), &["-m", "uvicorn", "main:app", "--port", "0"]),
        };
        let mut command = self.command(program, example, variables);
        command.args(arguments);
        BackEnd::start(command).await
    }

    /// A command in the copied example with the variables that its README lists.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>, example: &str, variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(program);
        emulator_environment(&mut command, self.deployment, self.directory, self.directory);
        command
            .current_dir(self.directory.join(example))
            .env("API", self.deployment.api.url())
            .env("ADMIN_USERNAME", FIRST_ADMIN)
            .env("ADMIN_PASSWORD", self.admin_password.expose())
            .env("PORT", "0")
            .env("PYTHONPATH", Path::new(ROOT).join("clients/python/src"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .envs(variables.iter().copied());
        command
    }
}

/// Signs in and ends the session. Returns its access token, which is rejected immediately. Another session remains.
async fn sign_out(back_end: &BackEnd, name: &str) -> Secret {
    let [ending, other] = [back_end.tokens(name, PASSWORD).await, back_end.tokens(name, PASSWORD).await];
    let token = secret(&ending["access_token"]);
    back_end.profile(&token).await.expect(200).unwrap();
    let session = json!({"refresh_token": ending["refresh_token"]});
    back_end.post("/sign-out", None, &session).await.expect_refusal(401, "unauthenticated").unwrap();
    back_end.post("/sign-out", Some(&token), &session).await.expect(204).unwrap();
    back_end.profile(&token).await.expect_refusal(401, "unauthenticated").unwrap();
    let refresh = json!({"username": name, "refresh_token": ending["refresh_token"]});
    back_end.post("/refresh", None, &refresh).await.expect_refusal(401, "invalid-credentials").unwrap();
    back_end.profile(&secret(&other["access_token"])).await.expect(200).unwrap();
    token
}

#[expect(clippy::disallowed_methods, reason = "the browser is a choice of the developer")]
fn browser() -> Option<std::ffi::OsString> {
    env::var_os("CHROMIUM")
}

/// A running back end.
struct BackEnd {
    api: Api,
    process: Child,
    output: UnboundedReceiver<String>,
    log: String,
}

impl BackEnd {
    /// Starts a back end, and waits for the line with its URL.
    async fn start(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, mut output) = unbounded_channel();
        forward(process.stdout.take().unwrap(), sender.clone());
        forward(process.stderr.take().unwrap(), sender);
        let mut log = String::new();
        let url = loop {
            let Some(line) = output.recv().await else { unreachable!("the back end stopped:\n{log}") };
            if let Some(url) = line.split_whitespace().find(|word| word.starts_with("http://127.0.0.1:")) {
                break url.to_owned();
            }
            log.push_str(&line);
            log.push('\n');
        };
        Self { api: Api::new(url).unwrap(), process, output, log }
    }

    async fn call(&self, method: Method, path: &str, token: Option<&Secret>) -> Answer {
        self.api.call(method, path, token, None).await.unwrap()
    }

    async fn post(&self, path: &str, token: Option<&Secret>, body: &Value) -> Answer {
        self.api.call(Method::POST, path, token, Some(body)).await.unwrap()
    }

    async fn profile(&self, token: &Secret) -> Answer {
        self.call(Method::GET, "/profile", Some(token)).await
    }

    async fn tokens(&self, username: &str, password: &str) -> Value {
        let credentials = json!({"username": username, "password": password});
        self.post("/sign-in", None, &credentials).await.expect(200).unwrap()["tokens"].take()
    }

    /// Stops the back end, and returns its output.
    async fn stop(mut self) -> String {
        self.process.kill().await.unwrap();
        while let Some(line) = self.output.recv().await {
            self.log.push_str(&line);
            self.log.push('\n');
        }
        self.log
    }
}

fn forward(output: impl AsyncRead + Send + Unpin + 'static, lines: UnboundedSender<String>) {
    tokio::spawn(async move {
        let mut reader = BufReader::new(output).lines();
        while let Ok(Some(line)) = reader.next_line().await {
            if lines.send(line).is_err() {
                return;
            }
        }
    });
}
