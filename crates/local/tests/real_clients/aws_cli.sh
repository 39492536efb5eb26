#!/usr/bin/env bash
# Runs the flows F1 to F5 with the AWS CLI, in the commands of typical scripts. The flows run at the same time, because
# each command takes about a second. boto3_flows.py contains more refusals.
set -Eeuo pipefail
trap 'fail "failed: $BASH_COMMAND"' ERR

fail() {
  trap - ERR
  echo "in ${FUNCNAME[*]:1}, lines ${BASH_LINENO[*]}: $1" >&2
  exit 1
}

equal() { # equal ACTUAL EXPECTED
  [ "$1" = "$2" ] || fail "expected $2, got $1"
}

refused() { # refused ERROR COMMAND...
  local error=$1 output
  shift
  if output=$("$@" 2>&1); then fail "expected $error, but the command succeeded"; fi
  [[ $output = *"An error occurred ($error) when calling the "* ]] || fail "expected $error, got: $output"
}

secret_hash() { # secret_hash USERNAME
  python -IS -c 'import base64, hashlib, hmac, sys; key, text = map(str.encode, sys.argv[1:])
print(base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode())' "$CLIENT_SECRET" "$1$BACKEND_CLIENT_ID"
}

sign_in() { # sign_in USERNAME PASSWORD OPTIONS...
  aws cognito-idp admin-initiate-auth --user-pool-id "$USER_POOL_ID" --client-id "$BACKEND_CLIENT_ID" \
    --auth-flow ADMIN_USER_PASSWORD_AUTH \
    --auth-parameters "USERNAME=$1,PASSWORD=$2,SECRET_HASH=$(secret_hash "$1")" "${@:3}" --output text
}

refresh() { # refresh USERNAME REFRESH-TOKEN OPTIONS...
  aws cognito-idp admin-initiate-auth --user-pool-id "$USER_POOL_ID" --client-id "$BACKEND_CLIENT_ID" \
    --auth-flow REFRESH_TOKEN_AUTH \
    --auth-parameters "REFRESH_TOKEN=$2,SECRET_HASH=$(secret_hash "$1")" "${@:3}" --output text
}

f1_account_status() {
  local tokens challenge access id refresh
  aws cognito-idp admin-create-user --user-pool-id "$USER_POOL_ID" --username cli-f1 \
    --user-attributes Name=email,Value=cli-f1@example.com --temporary-password 'Temporary-Pw-1!' \
    --message-action SUPPRESS
  aws cognito-idp admin-set-user-password --user-pool-id "$USER_POOL_ID" --username cli-f1 \
    --password 'Temporary-Pw-2!' --no-permanent
  aws cognito-idp admin-update-user-attributes --user-pool-id "$USER_POOL_ID" --username cli-f1 \
    --user-attributes Name=email_verified,Value=true
  equal "$(aws cognito-idp admin-get-user --user-pool-id "$USER_POOL_ID" --username cli-f1 --output text \
    --query '[UserStatus, UserAttributes[?Name==`email_verified`].Value | [0]]')" $'FORCE_CHANGE_PASSWORD\ttrue'
  challenge=$(sign_in cli-f1 'Temporary-Pw-2!' \
    --query '[ChallengeName, ChallengeParameters.USER_ID_FOR_SRP, ChallengeParameters.requiredAttributes]')
  equal "$challenge" $'NEW_PASSWORD_REQUIRED\tcli-f1\t[]'
  aws cognito-idp admin-user-global-sign-out --user-pool-id "$USER_POOL_ID" --username cli-f1
  aws cognito-idp admin-set-user-password --user-pool-id "$USER_POOL_ID" --username cli-f1 \
    --password 'Permanent-Pw-1!' --permanent
  refused NotAuthorizedException sign_in cli-f1 'Temporary-Pw-2!'
  tokens=$(sign_in cli-f1 'Permanent-Pw-1!' --query 'AuthenticationResult.[AccessToken, IdToken, RefreshToken]')
  read -r access id refresh <<<"$tokens"
  equal "${access:0:2} ${id:0:2} ${refresh:0:2}" 'ey ey ey'
  equal "$(aws cognito-idp admin-get-user --user-pool-id "$USER_POOL_ID" --username cli-f1 --output text \
    --query UserStatus)" CONFIRMED
}

f2_client_secret() {
  local user=(--user-pool-id "$USER_POOL_ID" --username cli-f2) access refresh tokens
  aws cognito-idp admin-create-user "${user[@]}" --message-action SUPPRESS
  refused UsernameExistsException aws cognito-idp admin-create-user "${user[@]}" --message-action SUPPRESS
  refused InvalidPasswordException aws cognito-idp admin-set-user-password "${user[@]}" --password weak --permanent
  aws cognito-idp admin-set-user-password "${user[@]}" --password Correct-Horse-1 --permanent
  refused NotAuthorizedException sign_in cli-f2 Wrong-Horse-1
  tokens=$(sign_in cli-f2 Correct-Horse-1 --query 'AuthenticationResult.[AccessToken, RefreshToken]')
  read -r access refresh <<<"$tokens"
  equal "$(refresh cli-f2 "$refresh" --query 'AuthenticationResult.[TokenType, RefreshToken]')" $'Bearer\tNone'
  aws cognito-idp global-sign-out --access-token "$access"
  refused NotAuthorizedException refresh cli-f2 "$refresh"
  equal "$(aws cognito-idp admin-get-user "${user[@]}" --query UserStatus --output text)" CONFIRMED
  aws cognito-idp admin-delete-user "${user[@]}"
  refused UserNotFoundException aws cognito-idp admin-get-user "${user[@]}"
}

# ministack has no propagation delay, so the script does not sleep before get-credentials-for-identity.
f3_bootstrap() {
  local pool client auth provider identity_pool policy role id identity credentials key secret session
  # 1 to 4. User pool, app client, sign-up, confirmation by an administrator.
  pool=$(aws cognito-idp create-user-pool --pool-name cli-f3 --query UserPool.Id --output text)
  client=$(aws cognito-idp create-user-pool-client --user-pool-id "$pool" --client-name cli-f3 \
    --explicit-auth-flows ALLOW_ADMIN_USER_PASSWORD_AUTH ALLOW_USER_SRP_AUTH ALLOW_REFRESH_TOKEN_AUTH ALLOW_USER_AUTH \
    --query UserPoolClient.ClientId --output text)
  auth=(aws cognito-idp admin-initiate-auth --user-pool-id "$pool" --client-id "$client"
    --auth-flow ADMIN_USER_PASSWORD_AUTH --auth-parameters USERNAME=cli-f3,PASSWORD=Correct-Horse-1)
  aws cognito-idp sign-up --client-id "$client" --username cli-f3 --password Correct-Horse-1
  refused UserNotConfirmedException "${auth[@]}"
  aws cognito-idp admin-confirm-sign-up --user-pool-id "$pool" --username cli-f3
  # 5. Identity pool.
  provider="cognito-idp.$AWS_REGION.amazonaws.com/$pool"
  identity_pool=$(aws cognito-identity create-identity-pool --identity-pool-name cli-f3 \
    --no-allow-unauthenticated-identities --cognito-identity-providers "ProviderName=$provider,ClientId=$client" \
    --query IdentityPoolId --output text)
  # 6 to 9. Policy, role, attachment, role of the identity pool.
  policy=$(aws iam create-policy --policy-name cli-f3 --query Policy.Arn --output text --policy-document \
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "cognito-identity:*", "Resource": "*"}]}')
  role=$(aws iam create-role --role-name cli-f3 --query Role.Arn --output text --assume-role-policy-document '{
    "Version": "2012-10-17",
    "Statement": [{
      "Effect": "Allow",
      "Principal": {"Federated": "cognito-identity.amazonaws.com"},
      "Action": "sts:AssumeRoleWithWebIdentity",
      "Condition": {
        "StringEquals": {"cognito-identity.amazonaws.com:aud": "'"$identity_pool"'"},
        "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"}
      }
    }]
  }')
  aws iam attach-role-policy --role-name cli-f3 --policy-arn "$policy"
  aws cognito-identity set-identity-pool-roles --identity-pool-id "$identity_pool" --roles "authenticated=$role"
  # 10 to 13. Sign-in, identity, credentials, caller.
  id=$("${auth[@]}" --query AuthenticationResult.IdToken --output text)
  identity=$(aws cognito-identity get-id --identity-pool-id "$identity_pool" --logins "$provider=$id" \
    --query IdentityId --output text)
  credentials=$(aws cognito-identity get-credentials-for-identity --identity-id "$identity" \
    --logins "$provider=$id" --query 'Credentials.[AccessKeyId, SecretKey, SessionToken]' --output text)
  read -r key secret session <<<"$credentials"
  equal "$(AWS_ACCESS_KEY_ID=$key AWS_SECRET_ACCESS_KEY=$secret AWS_SESSION_TOKEN=$session \
    aws sts get-caller-identity --query Arn --output text)" \
    "arn:aws:sts::$(cut -d : -f 5 <<<"$role"):assumed-role/cli-f3/CognitoIdentityCredentials"
}

# F3 contains the confirmation by an administrator, because the trigger confirms each user of this pool.
f4_auto_confirm() {
  local sign_up=(aws cognito-idp sign-up --client-id "$WEB_CLIENT_ID" --username cli-f4 --password Correct-Horse-1)
  local refresh
  refused UserLambdaValidationException "${sign_up[@]}" --user-attributes "Name=email,Value=cli-f4@$DENIED_DOMAIN"
  refused UserNotFoundException aws cognito-idp admin-get-user --user-pool-id "$USER_POOL_ID" --username cli-f4
  equal "$("${sign_up[@]}" --user-attributes Name=email,Value=cli-f4@example.com \
    --validation-data Name=plan,Value=trial --query UserConfirmed --output text)" True
  refresh=$(sign_in cli-f4 Correct-Horse-1 --query AuthenticationResult.RefreshToken)
  equal "$(refresh cli-f4 "$refresh" --query AuthenticationResult.TokenType)" Bearer
}

# ministack accepts any session in a response to NEW_PASSWORD_REQUIRED and ignores the attributes in it, so the script
# checks neither. ministack has no verification codes. cognito-local has them, and receives a copy of the user.
f5_attributes() {
  local challenge name session sub token
  sub=$(aws cognito-idp admin-create-user --user-pool-id "$USER_POOL_ID" --username cli-f5 --user-attributes \
    Name=birthdate,Value=1990-04-01 Name=email,Value=cli-f5@example.com Name=email_verified,Value=false \
    Name=preferred_username,Value=cli-alias Name=custom:team,Value=blue \
    --temporary-password 'Temporary-Pw-1!' --message-action SUPPRESS \
    --query 'User.Attributes[?Name==`sub`].Value' --output text)
  challenge=$(sign_in cli-alias 'Temporary-Pw-1!' --query '[ChallengeName, Session]')
  read -r name session <<<"$challenge"
  equal "$name" NEW_PASSWORD_REQUIRED
  aws cognito-idp admin-respond-to-auth-challenge --user-pool-id "$USER_POOL_ID" --client-id "$BACKEND_CLIENT_ID" \
    --challenge-name NEW_PASSWORD_REQUIRED --session "$session" --challenge-responses \
    "USERNAME=cli-f5,NEW_PASSWORD=Correct-Horse-1,SECRET_HASH=$(secret_hash cli-f5),userAttributes.given_name=Kim"
  token=$(sign_in cli-alias Correct-Horse-1 --query AuthenticationResult.AccessToken)

  export AWS_ENDPOINT_URL=$CODES_ENDPOINT_URL
  aws cognito-idp admin-create-user --user-pool-id "$USER_POOL_ID" --username cli-f5 --message-action SUPPRESS \
    --user-attributes "Name=sub,Value=$sub" Name=email,Value=cli-f5@example.com Name=email_verified,Value=false
  aws cognito-idp get-user-attribute-verification-code --access-token "$token" --attribute-name email
  refused CodeMismatchException aws cognito-idp verify-user-attribute --access-token "$token" \
    --attribute-name email --code 000000
  aws cognito-idp verify-user-attribute --access-token "$token" --attribute-name email --code "$CODE"
  equal "$(aws cognito-idp get-user --access-token "$token" --output text \
    --query 'UserAttributes[?Name==`email_verified`].Value')" true
}

CLIENT_SECRET=$(aws cognito-idp describe-user-pool-client --user-pool-id "$USER_POOL_ID" \
  --client-id "$BACKEND_CLIENT_ID" --query UserPoolClient.ClientSecret --output text)
jobs=()
for flow in f1_account_status f2_client_secret f3_bootstrap f4_auto_confirm f5_attributes; do
  "$flow" &
  jobs+=($!)
done
status=0
for job in "${jobs[@]}"; do wait "$job" || status=1; done
exit "$status"
