"""Runs the flows F1 to F5 with boto3, in the calls of typical scripts."""

import base64
import hashlib
import hmac
import json
import os
from unittest import TestCase

import boto3
from botocore.exceptions import ClientError

REGION = os.environ["AWS_REGION"]
USER_POOL_ID = os.environ["USER_POOL_ID"]
WEB_CLIENT_ID = os.environ["WEB_CLIENT_ID"]
BACKEND_CLIENT_ID = os.environ["BACKEND_CLIENT_ID"]

cognito = boto3.client("cognito-idp")
errors = cognito.exceptions
equal = TestCase().assertEqual
refused = TestCase().assertRaises

client = cognito.describe_user_pool_client(UserPoolId=USER_POOL_ID, ClientId=BACKEND_CLIENT_ID)["UserPoolClient"]
CLIENT_SECRET = client["ClientSecret"]


def secret_hash(username):
    message = (username + BACKEND_CLIENT_ID).encode()
    return base64.b64encode(hmac.new(CLIENT_SECRET.encode(), message, hashlib.sha256).digest()).decode()


def initiate_auth(auth_flow, **parameters):
    return cognito.admin_initiate_auth(
        UserPoolId=USER_POOL_ID, ClientId=BACKEND_CLIENT_ID, AuthFlow=auth_flow, AuthParameters=parameters
    )


def sign_in(username, password):
    return initiate_auth(
        "ADMIN_USER_PASSWORD_AUTH", USERNAME=username, PASSWORD=password, SECRET_HASH=secret_hash(username)
    )


def refresh(username, tokens):
    return initiate_auth(
        "REFRESH_TOKEN_AUTH", REFRESH_TOKEN=tokens["RefreshToken"], SECRET_HASH=secret_hash(username)
    )["AuthenticationResult"]


def status(username):
    return cognito.admin_get_user(UserPoolId=USER_POOL_ID, Username=username)["UserStatus"]


def attributes(user):
    return {attribute["Name"]: attribute["Value"] for attribute in user["UserAttributes"]}


def f1_account_status():
    username, temporary, permanent = "boto3-f1", "Temporary-Pw-1!", "Permanent-Pw-1!"
    user = cognito.admin_create_user(
        UserPoolId=USER_POOL_ID,
        Username=username,
        UserAttributes=[{"Name": "email", "Value": "boto3-f1@example.com"}],
        TemporaryPassword=temporary,
        MessageAction="SUPPRESS",
    )["User"]
    equal(user["UserStatus"], "FORCE_CHANGE_PASSWORD")
    temporary = "Temporary-Pw-2!"
    cognito.admin_set_user_password(UserPoolId=USER_POOL_ID, Username=username, Password=temporary, Permanent=False)
    equal(status(username), "FORCE_CHANGE_PASSWORD")
    cognito.admin_update_user_attributes(
        UserPoolId=USER_POOL_ID, Username=username, UserAttributes=[{"Name": "email_verified", "Value": "true"}]
    )
    user = cognito.admin_get_user(UserPoolId=USER_POOL_ID, Username=username)
    equal(attributes(user)["email_verified"], "true")

    with refused(errors.NotAuthorizedException):
        sign_in(username, "Temporary-Pw-1!")
    challenge = sign_in(username, temporary)
    equal(challenge["ChallengeName"], "NEW_PASSWORD_REQUIRED")
    equal(bool(challenge["Session"]), True)
    parameters = challenge["ChallengeParameters"]
    equal(parameters["USER_ID_FOR_SRP"], username)
    equal(json.loads(parameters["requiredAttributes"]), [])
    equal(json.loads(parameters["userAttributes"])["email"], "boto3-f1@example.com")

    cognito.admin_user_global_sign_out(UserPoolId=USER_POOL_ID, Username=username)
    cognito.admin_set_user_password(UserPoolId=USER_POOL_ID, Username=username, Password=permanent, Permanent=True)
    equal(status(username), "CONFIRMED")
    with refused(errors.NotAuthorizedException):
        sign_in(username, temporary)
    tokens = sign_in(username, permanent)["AuthenticationResult"]
    equal({"AccessToken", "IdToken", "RefreshToken"} <= tokens.keys(), True)
    equal(cognito.get_user(AccessToken=tokens["AccessToken"])["Username"], username)

    cognito.admin_user_global_sign_out(UserPoolId=USER_POOL_ID, Username=username)
    with refused(errors.NotAuthorizedException):
        refresh(username, tokens)


# The flow omits SignUp in a pool without self sign-up, because ministack accepts it.
def f2_client_secret():
    username, password = "boto3-f2", "Correct-Horse-1"
    pool_and_user = {"UserPoolId": USER_POOL_ID, "Username": username}
    cognito.admin_create_user(**pool_and_user, MessageAction="SUPPRESS")
    with refused(errors.UsernameExistsException):
        cognito.admin_create_user(**pool_and_user, MessageAction="SUPPRESS")
    with refused(errors.InvalidPasswordException):
        cognito.admin_set_user_password(**pool_and_user, Password="weak", Permanent=True)
    with refused(errors.UserNotFoundException):
        cognito.admin_set_user_password(
            UserPoolId=USER_POOL_ID, Username="boto3-nobody", Password=password, Permanent=True
        )
    cognito.admin_set_user_password(**pool_and_user, Password=password, Permanent=True)
    equal(status(username), "CONFIRMED")

    with refused(errors.NotAuthorizedException):
        sign_in(username, "Wrong-Horse-1!")
    with refused(errors.NotAuthorizedException):
        initiate_auth("ADMIN_USER_PASSWORD_AUTH", USERNAME=username, PASSWORD=password)
    with refused(errors.NotAuthorizedException):
        initiate_auth(
            "ADMIN_USER_PASSWORD_AUTH", USERNAME=username, PASSWORD=password, SECRET_HASH=secret_hash("boto3-f1")
        )
    tokens = sign_in(username, password)["AuthenticationResult"]

    with refused(errors.NotAuthorizedException):
        initiate_auth("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=tokens["RefreshToken"])
    refreshed = refresh(username, tokens)
    equal({"AccessToken", "IdToken"} <= refreshed.keys(), True)
    equal("RefreshToken" in refreshed, False)
    equal(cognito.get_user(AccessToken=refreshed["AccessToken"])["Username"], username)

    cognito.global_sign_out(AccessToken=tokens["AccessToken"])
    with refused(errors.NotAuthorizedException):
        refresh(username, tokens)
    with refused(errors.NotAuthorizedException):
        cognito.get_user(AccessToken=tokens["AccessToken"])

    equal(cognito.admin_get_user(**pool_and_user)["Username"], username)
    cognito.admin_delete_user(**pool_and_user)
    with refused(errors.UserNotFoundException):
        cognito.admin_get_user(**pool_and_user)


# ministack has no propagation delay, so the script does not sleep before `get_credentials_for_identity`.
def f3_bootstrap():
    identity, iam = boto3.client("cognito-identity"), boto3.client("iam")
    username, password = "boto3-f3", "Correct-Horse-1"
    # 1. User pool.
    user_pool_id = cognito.create_user_pool(PoolName="boto3-f3")["UserPool"]["Id"]
    # 2. App client.
    client_id = cognito.create_user_pool_client(
        UserPoolId=user_pool_id,
        ClientName="boto3-f3",
        ExplicitAuthFlows=[
            "ALLOW_ADMIN_USER_PASSWORD_AUTH",
            "ALLOW_USER_SRP_AUTH",
            "ALLOW_REFRESH_TOKEN_AUTH",
            "ALLOW_USER_AUTH",
        ],
    )["UserPoolClient"]["ClientId"]
    sign_in = {
        "UserPoolId": user_pool_id,
        "ClientId": client_id,
        "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": username, "PASSWORD": password},
    }
    # 3. Sign-up.
    signed_up = cognito.sign_up(ClientId=client_id, Username=username, Password=password)
    equal(signed_up["UserConfirmed"], False)
    with refused(errors.UserNotConfirmedException):
        cognito.admin_initiate_auth(**sign_in)
    # 4. Confirmation by an administrator.
    cognito.admin_confirm_sign_up(UserPoolId=user_pool_id, Username=username)
    user = cognito.admin_get_user(UserPoolId=user_pool_id, Username=username)
    equal(user["UserStatus"], "CONFIRMED")
    # 5. Identity pool.
    provider = f"cognito-idp.{REGION}.amazonaws.com/{user_pool_id}"
    identity_pool_id = identity.create_identity_pool(
        IdentityPoolName="boto3-f3",
        AllowUnauthenticatedIdentities=False,
        CognitoIdentityProviders=[{"ProviderName": provider, "ClientId": client_id}],
    )["IdentityPoolId"]
    # 6. Policy.
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "cognito-identity:ListIdentityPools", "Resource": "*"}],
    }
    policy_arn = iam.create_policy(PolicyName="boto3-f3", PolicyDocument=json.dumps(policy))["Policy"]["Arn"]
    # 7. Role.
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": "cognito-identity.amazonaws.com"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {"cognito-identity.amazonaws.com:aud": identity_pool_id},
                    "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"},
                },
            }
        ],
    }
    role_arn = iam.create_role(RoleName="boto3-f3", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    # 8. Attachment.
    iam.attach_role_policy(RoleName="boto3-f3", PolicyArn=policy_arn)
    # 9. Role of the identity pool.
    identity.set_identity_pool_roles(IdentityPoolId=identity_pool_id, Roles={"authenticated": role_arn})
    # 10. Sign-in.
    tokens = cognito.admin_initiate_auth(**sign_in)["AuthenticationResult"]
    # 11. Identity.
    with refused(identity.exceptions.NotAuthorizedException):
        identity.get_id(IdentityPoolId=identity_pool_id, Logins={provider: tokens["AccessToken"]})
    logins = {provider: tokens["IdToken"]}
    identity_id = identity.get_id(IdentityPoolId=identity_pool_id, Logins=logins)["IdentityId"]
    # 12. Credentials.
    with refused(identity.exceptions.NotAuthorizedException):
        identity.get_credentials_for_identity(IdentityId=identity_id)
    credentials = identity.get_credentials_for_identity(IdentityId=identity_id, Logins=logins)["Credentials"]
    # 13. Caller.
    session = boto3.Session(credentials["AccessKeyId"], credentials["SecretKey"], credentials["SessionToken"])
    arn = session.client("sts").get_caller_identity()["Arn"]
    account = role_arn.split(":")[4]
    equal(arn, f"arn:aws:sts::{account}:assumed-role/boto3-f3/CognitoIdentityCredentials")
    session.client("cognito-identity").list_identity_pools(MaxResults=1)
    with refused(ClientError) as denied:
        session.client("cognito-idp").list_user_pools(MaxResults=1)
    equal(denied.exception.response["Error"]["Code"], "AccessDeniedException")


# F3 contains the confirmation by an administrator, because the trigger confirms each user of this pool.
def f4_auto_confirm():
    username, password = "boto3-f4", "Correct-Horse-1"
    registration = {"ClientId": WEB_CLIENT_ID, "Username": username, "Password": password}
    with refused(errors.UserLambdaValidationException) as domain:
        email = f"{username}@{os.environ['DENIED_DOMAIN']}"
        cognito.sign_up(**registration, UserAttributes=[{"Name": "email", "Value": email}])
    equal("E-mail addresses of this domain cannot be used to sign up" in str(domain.exception), True)
    with refused(errors.UserNotFoundException):
        status(username)
    signed_up = cognito.sign_up(
        **registration,
        UserAttributes=[{"Name": "email", "Value": f"{username}@example.com"}],
        ValidationData=[{"Name": "plan", "Value": "trial"}],
    )
    equal(signed_up["UserConfirmed"], True)
    user = cognito.admin_get_user(UserPoolId=USER_POOL_ID, Username=username)
    equal(user["UserStatus"], "CONFIRMED")
    equal(attributes(user).get("email_verified", "false"), "false")
    with refused(errors.UsernameExistsException):
        cognito.sign_up(**registration)
    with refused(errors.NotAuthorizedException):
        sign_in(username, "Wrong-Horse-1!")
    tokens = sign_in(username, password)["AuthenticationResult"]
    refreshed = refresh(username, tokens)
    equal(cognito.get_user(AccessToken=refreshed["AccessToken"])["Username"], username)


# ministack accepts any session in a response to NEW_PASSWORD_REQUIRED and ignores the attributes in it, so the script
# checks neither. ministack has no verification codes. cognito-local has them, and receives a copy of the user.
def f5_attributes():
    username, alias, temporary, password = "boto3-f5", "boto3-alias", "Temporary-Pw-1!", "Correct-Horse-1"
    wanted = {
        "birthdate": "1990-04-01",
        "email": "boto3-f5@example.com",
        "email_verified": "false",
        "preferred_username": alias,
        "custom:team": "blue",
    }
    cognito.admin_create_user(
        UserPoolId=USER_POOL_ID,
        Username=username,
        UserAttributes=[{"Name": name, "Value": value} for name, value in wanted.items()],
        TemporaryPassword=temporary,
        MessageAction="SUPPRESS",
    )
    challenge = sign_in(alias, temporary)
    equal(challenge["ChallengeName"], "NEW_PASSWORD_REQUIRED")
    user_id = challenge["ChallengeParameters"]["USER_ID_FOR_SRP"]
    answer = {
        "UserPoolId": USER_POOL_ID,
        "ClientId": BACKEND_CLIENT_ID,
        "ChallengeName": "NEW_PASSWORD_REQUIRED",
        "Session": challenge["Session"],
    }
    responses = {"USERNAME": user_id, "NEW_PASSWORD": password, "userAttributes.given_name": "Kim"}
    with refused(errors.NotAuthorizedException):
        cognito.admin_respond_to_auth_challenge(**answer, ChallengeResponses=responses)
    responses["SECRET_HASH"] = secret_hash(user_id)
    cognito.admin_respond_to_auth_challenge(**answer, ChallengeResponses=responses)
    with refused(errors.NotAuthorizedException):
        sign_in(alias, temporary)
    tokens = sign_in(alias, password)["AuthenticationResult"]
    user = cognito.get_user(AccessToken=tokens["AccessToken"])
    equal(user["Username"], username)
    equal({name: attributes(user)[name] for name in wanted}, wanted)
    equal(status(username), "CONFIRMED")

    codes = boto3.client("cognito-idp", endpoint_url=os.environ["CODES_ENDPOINT_URL"])
    codes.admin_create_user(
        UserPoolId=USER_POOL_ID, Username=username, UserAttributes=user["UserAttributes"], MessageAction="SUPPRESS"
    )
    token = tokens["AccessToken"]
    codes.get_user_attribute_verification_code(AccessToken=token, AttributeName="email")
    with refused(codes.exceptions.CodeMismatchException):
        codes.verify_user_attribute(AccessToken=token, AttributeName="email", Code="000000")
    equal(attributes(codes.get_user(AccessToken=token))["email_verified"], "false")
    codes.verify_user_attribute(AccessToken=token, AttributeName="email", Code=os.environ["CODE"])
    equal(attributes(codes.get_user(AccessToken=token))["email_verified"], "true")


f1_account_status()
f2_client_secret()
f3_bootstrap()
f4_auto_confirm()
f5_attributes()
