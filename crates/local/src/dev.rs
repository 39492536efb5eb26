//! `make dev`: deploys, prints how to use what is there, and stays up until Ctrl-C.

use std::future::pending;

use domain::secret::Secret;

use crate::arguments::Options;
use crate::demo::set_up;
use crate::failure::Failure;
use crate::flows::first_admin;
use crate::report::Report;
use crate::scene::{FIRST_ADMIN, Scene};

/// Runs until it is interrupted, or until the local AWS stops.
///
/// # Errors
/// Where the deployment does not work, or the local AWS stops by itself.
pub async fn run(options: &Options) -> Result<(), Failure> {
    let mut report = Report::default();
    let scene = set_up(&mut report, options).await?;
    let admin = first_admin::sign_in(&scene, &mut report).await?;
    print_how_to_use(&scene, &admin.token, &admin.password)?;
    tokio::select! {
        stopped = scene.aws.stopped() => Err(stopped.into()),
        () = pending() => Ok(()),
    }
}

/// The token and the password are printed on purpose: they open nothing but this local AWS, and this is what they are for.
fn print_how_to_use(scene: &Scene, token: &Secret, password: &Secret) -> Result<(), Failure> {
    let (token, password, url) = (token.expose(), password.expose(), scene.api.url());
    println!(
        r#"
The API is up. Ctrl-C stops it, and everything in it is gone.

  API               {url}
  AWS endpoint      {endpoint}  (region us-east-1, access key test, secret key test)
  user pool         {pool}
  web client        {web}
  administrator     {FIRST_ADMIN} with the password {password}

Paste this first (the token lives for an hour; the sign-in below gives a new one):

  API='{url}'
  TOKEN='{token}'

Then, for instance:

  curl -s -H "Authorization: Bearer $TOKEN" $API/v1/users
  curl -s -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' $API/v1/users \
    -d '{{"username": "mia", "password": {{"value": "Correct-Horse-1", "permanent": true}}}}'
  curl -s -H "Authorization: Bearer $TOKEN" $API/v1/users/mia
  curl -s -H 'Content-Type: application/json' $API/v1/auth/sign-in -d '{{"username": "mia", "password": "Correct-Horse-1"}}'
  curl -s -H 'Content-Type: application/json' $API/v1/auth/sign-up \
    -d '{{"username": "ray", "password": "Correct-Horse-2", "attributes": {{"email": "ray@example.com"}}}}'
  curl -s -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' $API/v1/invitations -d '{{"email": "ida@example.com"}}'
  curl -s -X DELETE -H "Authorization: Bearer $TOKEN" $API/v1/users/mia

A new token for the administrator:

  TOKEN=$(curl -s -H 'Content-Type: application/json' $API/v1/auth/sign-in \
    -d '{{"username": "{FIRST_ADMIN}", "password": "{password}"}}' | sed 's/.*"access_token":"\([^"]*\)".*/\1/')"#,
        endpoint = scene.aws.endpoint_url(),
        pool = scene.stack.output("UserPoolId")?,
        web = scene.stack.output("WebClientId")?,
    );
    Ok(())
}
