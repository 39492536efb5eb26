"""What AWS's data does not say in a form for programs, with sources, and what a walk on the emulator cannot show, with reasons.

`source` names a resource type and a handler of the CloudFormation registry, or a page. AWS publishes the permissions of each handler in
the registry, and cfn-lint carries them: a test compares each row with it.
"""

# Where recordings come from: the pool, and the role that the account's own credentials stand for. Without a pool, the calls are those of
# deployed functions, and each stack is named like its pool.
RECORDINGS = {
    "end_to_end": {"pool": None, "root": None},
    # Provisioning without Lambda: what the bootstrap does.
    "crash_matrix": {"pool": "case", "root": "PoolBootstrapRole"},
}

# Cognito's secrets have letters and digits only, which the service model demands. The emulator's have other characters of Base64.
CLIENT_SECRET = "1example23456789abcdefghijklmnopqrstuvwxyz1234567890"

# Calls that need no permission.
NO_RIGHT = {
    "sts:GetCallerIdentity": "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html: no permissions are required",
}

# Calls that are about no resource yet, or about all of them.
ACCOUNT_WIDE = {
    "cognito-idp:CreateUserPool",
    "cognito-idp:ListUserPools",
    "cognito-identity:CreateIdentityPool",
    "cognito-identity:ListIdentityPools",
}

# The member of a request that names its resource, and the resource's ARN without its beginning. The first member that is there counts.
RESOURCES = {
    "cognito-idp": {"ResourceArn": ("cognito-idp", "{}"), "UserPoolId": ("cognito-idp", "userpool/{}")},
    "cognito-identity": {
        "ResourceArn": ("cognito-identity", "{}"),
        "IdentityPoolId": ("cognito-identity", "identitypool/{}"),
        # Identities have no ARN.
        "IdentityIdsToDelete": ("cognito-identity", "*"),
    },
    "iam": {"RoleName": ("iam", "role/{}"), "PolicyArn": ("iam", "{}"), "PolicyName": ("iam", "policy/{}")},
    "ssm": {"Name": ("ssm", "parameter/{}"), "ResourceId": ("ssm", "parameter/{}")},
    "logs": {"logGroupName": ("logs", "log-group:/{}:log-stream:{logStreamName}")},
}

# Calls that need more rights if they carry tags.
TAGGING = {
    "cognito-idp:CreateUserPool": {
        "rights": ["cognito-idp:TagResource"],
        "source": ("AWS::Cognito::UserPool", "create"),
    },
    "cognito-idp:UpdateUserPool": {
        "rights": ["cognito-idp:TagResource", "cognito-idp:UntagResource"],
        "source": ("AWS::Cognito::UserPool", "update"),
    },
    "cognito-identity:CreateIdentityPool": {
        "rights": ["cognito-identity:TagResource"],
        "source": ("AWS::Cognito::IdentityPool", "create"),
    },
    "cognito-identity:UpdateIdentityPool": {
        "rights": ["cognito-identity:TagResource", "cognito-identity:UntagResource"],
        "source": ("AWS::Cognito::IdentityPool", "update"),
    },
    "iam:CreatePolicy": {
        "rights": ["iam:TagPolicy"],
        "source": "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags_customer-managed-policies.html",
    },
    "iam:CreateRole": {"rights": ["iam:TagRole"], "source": ("AWS::IAM::Role", "create")},
    "ssm:PutParameter": {"rights": ["ssm:AddTagsToResource"], "source": ("AWS::SSM::Parameter", "create")},
}

# The ARN of what a call creates, for the rights in TAGGING.
CREATED = {
    "cognito-idp:CreateUserPool": "arn:{partition}:cognito-idp:{region}:{account}:userpool/{region}_Created01",
    "cognito-identity:CreateIdentityPool": (
        "arn:{partition}:cognito-identity:{region}:{account}:identitypool/{region}:11111111-1111-4111-8111-111111111111"
    ),
}

# Calls that hand a role to a service, which needs iam:PassRole on it: where the request names roles, and the services that they may be
# passed to. AWS does not document whether requests carry iam:PassedToService, nor which service it names for the role of a group.
PASS_ROLE = {
    "cognito-identity:SetIdentityPoolRoles": {
        "members": ["Roles.*", "RoleMappings.*.RulesConfiguration.Rules.*.RoleARN"],
        "services": ["cognito-identity.amazonaws.com"],
        "source": ("AWS::Cognito::IdentityPoolRoleAttachment", "create"),
    },
    "cognito-idp:CreateUserPool": {
        "members": ["SmsConfiguration.SnsCallerArn"],
        "services": ["cognito-idp.amazonaws.com"],
        "source": ("AWS::Cognito::UserPool", "create"),
    },
    "cognito-idp:UpdateUserPool": {
        "members": ["SmsConfiguration.SnsCallerArn"],
        "services": ["cognito-idp.amazonaws.com"],
        "source": ("AWS::Cognito::UserPool", "update"),
    },
    # The registry's handler of pools makes this call too, with the same SMS role.
    "cognito-idp:SetUserPoolMfaConfig": {
        "members": ["SmsMfaConfiguration.SmsConfiguration.SnsCallerArn"],
        "services": ["cognito-idp.amazonaws.com"],
        "source": ("AWS::Cognito::UserPool", "update"),
    },
    "cognito-idp:CreateGroup": {
        "members": ["RoleArn"],
        "services": ["cognito-idp.amazonaws.com", "cognito-identity.amazonaws.com"],
        "source": ("AWS::Cognito::UserPoolGroup", "create"),
    },
    "cognito-idp:UpdateGroup": {
        "members": ["RoleArn"],
        "services": ["cognito-idp.amazonaws.com", "cognito-identity.amazonaws.com"],
        "source": ("AWS::Cognito::UserPoolGroup", "update"),
    },
}

# Calls on foreign resources that no policy denies: (role, action, what is foreign): why.
NOT_LIMITABLE = {
    ("PoolBootstrapRole", "cognito-idp:ListUserPools", "anything"): "Lists take no resource.",
    ("PoolBootstrapRole", "cognito-identity:ListIdentityPools", "anything"): "Lists take no resource.",
    **dict.fromkeys(
        [
            ("PoolBootstrapRole", "cognito-idp:DescribeUserPool", "a foreign resource"),
            ("PoolBootstrapRole", "cognito-idp:DescribeUserPool", "an untagged pool"),
            ("PoolBootstrapRole", "cognito-identity:DescribeIdentityPool", "a foreign resource"),
            ("PoolBootstrapRole", "cognito-identity:DescribeIdentityPool", "an untagged pool"),
        ],
        "Reads the tags that tell the stack's pools from others. A condition on the tag would turn every other pool into an error.",
    ),
    **dict.fromkeys(
        [
            ("PoolBootstrapRole", "cognito-identity:SetIdentityPoolRoles", "a foreign resource"),
            ("PoolBootstrapRole", "cognito-identity:SetIdentityPoolRoles", "an untagged pool"),
        ],
        "Takes no resource and knows no condition key. iam:PassRole limits which roles a pool can be given.",
    ),
    ("PoolBootstrapRole", "cognito-identity:DeleteIdentities", "a foreign resource"): (
        "Takes no resource. Its condition key holds the ARN of the identity pool, whose id is random and not known when the role is made."
    ),
    **dict.fromkeys(
        [
            ("PoolBootstrapRole", "cognito-idp:TagResource", "an untagged pool"),
            ("PoolBootstrapRole", "cognito-identity:TagResource", "an untagged pool"),
        ],
        "A pool that is created with tags is tagged before it has any, so the tags of the request are the limit. A principal that may tag can adopt.",
    ),
    ("PoolBootstrapRole", "ssm:PutParameter", "a foreign tag"): "The name of the parameter is the limit.",
}
