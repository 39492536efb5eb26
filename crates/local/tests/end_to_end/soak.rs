//! Runs one round of the load of `make soak`.

use std::collections::BTreeSet;

use domain::secret::Secret;
use local::deployment::{Deployment, FIRST_ADMIN, Target as _};
use local::invoke::functions_of_the_demo;
use local::soak::load::Load;
use local::soak::processes::Processes;
use serde_json::{Value, json};

/// One round of each client, which calls every function and leaves the users and groups unchanged.
pub(crate) async fn one_round(deployment: &Deployment) {
    let before = users_and_groups(deployment).await;
    let password = deployment.aws.admin_password();
    let load = Load::new(deployment, &password);
    load.run(|round| round < 1).await;

    let tally = load.into_tally();
    assert_eq!(tally.problems(), [""; 0]);
    let functions = functions_of_the_demo().map(|(function, _)| function).collect::<BTreeSet<_>>();
    assert_eq!(tally.functions(), functions);
    match Processes::of(deployment) {
        Some(processes) => {
            assert_eq!(processes.read().iter().map(|process| process.function).collect::<BTreeSet<_>>(), functions);
        }
        None => println!("The processes are not checked, because this system has no /proc"),
    }
    assert_eq!(users_and_groups(deployment).await, before);
}

async fn users_and_groups(deployment: &Deployment) -> [Value; 2] {
    let sign_in = json!({"username": FIRST_ADMIN, "password": deployment.aws.admin_password().expose()});
    let answer = deployment.api.auth("sign-in", &sign_in).await.unwrap().expect(200).unwrap();
    let token = Secret::new(answer["tokens"]["access_token"].as_str().unwrap());
    let list = async |path| deployment.api.get(path, &token).await.unwrap().expect(200).unwrap();
    [list("/v1/users").await, list("/v1/groups").await]
}
