//! Resolves region, profile and credentials like every AWS tool, for workstations, EC2 instances and pipelines.

use std::error::Error;

use aws_config::Region;
use aws_config::default_provider::region::DefaultRegionChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_credential_types::provider::error::CredentialsError;
use thiserror::Error;

use crate::Aws;
use crate::http_client::Roots;

/// Missing region or credentials. No request was sent to the provisioned services.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// No region is configured.
    #[error("no AWS region: pass --region, set AWS_REGION, or set `region` in the profile (`aws configure`)")]
    NoRegion,
    /// No credentials are configured.
    #[error(
        "no AWS credentials: pass --profile or set AWS_PROFILE, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, \
         or sign in with `aws sso login` or `aws login`"
    )]
    NoCredentials,
    /// The profile does not exist or has no credentials.
    #[error("no AWS credentials in the profile `{0}`; check ~/.aws/config and ~/.aws/credentials")]
    NoCredentialsInProfile(String),
    /// The configured credentials could not be loaded.
    #[error(
        "the configured AWS credentials could not be loaded (if a session has expired, sign in again with `aws sso login` or \
         `aws login`)"
    )]
    CredentialsFailed(#[source] Box<dyn Error + Send + Sync>),
}

impl Aws {
    /// Resolves region and credentials. The region comes from `region`, `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile
    /// or the instance metadata. The credentials come from the environment, the profile (keys, roles, SSO, `aws login`,
    /// processes), web identity, or the metadata of ECS and EC2. `profile` overrides keys in the environment.
    ///
    /// Credentials are loaded immediately, so that an error occurs before any change.
    ///
    /// # Errors
    ///
    /// Returns an error if the region or the credentials are missing.
    pub async fn from_profile(profile: Option<&str>, region: Option<&str>) -> Result<Self, ProfileError> {
        let region = match region {
            Some(region) => Region::new(region.to_owned()),
            None => region_of(profile).await.ok_or(ProfileError::NoRegion)?,
        };
        let mut loader = Self::defaults(Roots::System).region(region.clone());
        if let Some(profile) = profile {
            let provider = ProfileFileCredentialsProvider::builder()
                .configure(&ProviderConfig::without_region().with_region(Some(region)))
                .profile_name(profile)
                .build();
            loader = loader.profile_name(profile).credentials_provider(provider);
        }
        let config = loader.load().await;
        let provider = config.credentials_provider().ok_or(ProfileError::NoCredentials)?;
        match (provider.provide_credentials().await, profile) {
            (Ok(_), _) => Ok(config.into()),
            (Err(CredentialsError::CredentialsNotLoaded(_)), None) => Err(ProfileError::NoCredentials),
            (Err(CredentialsError::CredentialsNotLoaded(_)), Some(profile)) => {
                Err(ProfileError::NoCredentialsInProfile(profile.to_owned()))
            }
            (Err(error), _) => Err(ProfileError::CredentialsFailed(error.into())),
        }
    }
}

async fn region_of(profile: Option<&str>) -> Option<Region> {
    let chain = DefaultRegionChain::builder();
    let chain = match profile {
        Some(profile) => chain.profile_name(profile),
        None => chain,
    };
    // Some pipelines set an empty AWS_REGION.
    chain.build().region().await.filter(|region| !region.as_ref().is_empty())
}
