//! The environment variables of the emulator and of its tools. They do not inherit the user's environment.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::LocalAws;
use super::error::LocalAwsError;
use super::tools::Tools;

/// Variables by name.
pub(super) type Variables = BTreeMap<&'static str, String>;

/// The environment variables of the emulator and of its tools.
pub(super) struct Environment {
    pub(super) endpoint_url: String,
    port: u16,
    folder: String,
    path: String,
    sam_folder: String,
}

impl Environment {
    pub(super) fn new(port: u16, folder: &Path, tools: &Tools) -> Result<Self, LocalAwsError> {
        for name in ["home", "tmp", "state"] {
            fs::create_dir(folder.join(name)).map_err(LocalAwsError::Folder)?;
        }
        Ok(Self {
            endpoint_url: format!("http://127.0.0.1:{port}"),
            port,
            folder: folder.display().to_string(),
            path: tools.path_variable(),
            sam_folder: tools.sam_folder(),
        })
    }

    /// The common variables: search path, directories, and the endpoint of the emulator.
    fn common(&self) -> Variables {
        BTreeMap::from([
            ("PATH", self.path.clone()),
            ("LANG", "C.UTF-8".to_owned()),
            ("HOME", format!("{}/home", self.folder)),
            ("TMPDIR", format!("{}/tmp", self.folder)),
            ("AWS_ENDPOINT_URL", self.endpoint_url.clone()),
            ("AWS_REGION", LocalAws::REGION.to_owned()),
            ("AWS_DEFAULT_REGION", LocalAws::REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", LocalAws::ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", LocalAws::SECRET_KEY.to_owned()),
            ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ])
    }

    pub(super) fn of_local_aws(&self) -> Variables {
        let mut variables = self.common();
        variables.extend([
            // Enables the checks of signatures, permissions, secret hashes, codes and sign-outs.
            ("AUTH", "true".to_owned()),
            ("BIND_HOST", "127.0.0.1".to_owned()),
            ("MINISTACK_HOST", "127.0.0.1".to_owned()),
            ("GATEWAY_PORT", self.port.to_string()),
            ("STATE_DIR", format!("{}/state", self.folder)),
            // Disables two unused services with their own ports.
            ("IOT_MTLS_ENABLED", "0".to_owned()),
            ("SFTP_ENABLED", "0".to_owned()),
        ]);
        variables
    }

    pub(super) fn of_tools(&self) -> Variables {
        let mut variables = self.common();
        variables.extend([
            ("SAM_CLI_TELEMETRY", "0".to_owned()),
            ("__SAM_CLI_APP_DIR", self.sam_folder.clone()),
            // The default of five seconds suits AWS, not the emulator.
            ("SAM_CLI_POLL_DELAY", "0.5".to_owned()),
            ("COLUMNS", "200".to_owned()),
        ]);
        variables
    }
}
