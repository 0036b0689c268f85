//! Settings and where each came from: a flag, the environment, the configuration file, or the default.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Where a setting's value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A flag on the command line.
    Flag(&'static str),
    /// An environment variable.
    Environment(&'static str),
    /// The configuration file.
    File(PathBuf),
    /// Nobody said otherwise.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and its origin.
#[derive(Debug, Clone)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

/// The effective configuration.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The data folder.
    pub(crate) data: Setting<PathBuf>,
    /// A file with deal terms; the built-in ones where there is none.
    pub(crate) deal: Setting<Option<PathBuf>>,
    /// Where the state is kept; a file in the data folder where nobody says.
    pub(crate) state: Setting<Option<String>>,
    /// What the configuration file says of `marquee serve`.
    pub(crate) serve: Serve,
    /// The seed of all randomness.
    pub(crate) seed: Setting<u64>,
    /// Threads for computing; 0 takes one for each core.
    pub(crate) threads: Setting<usize>,
}

/// What a configuration file may say of `marquee serve`; each is a flag of it too, which goes before.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Serve {
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) tls_certificate: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    #[serde(default)]
    pub(crate) proxy: Vec<IpAddr>,
    pub(crate) policies: Option<PathBuf>,
    pub(crate) seal_keys: Option<PathBuf>,
    pub(crate) public_url: Option<String>,
    pub(crate) webhooks_to_private: Option<bool>,
    pub(crate) workers: Option<usize>,
    pub(crate) requests_per_minute: Option<u32>,
    pub(crate) body_limit: Option<usize>,
    pub(crate) upload_limit: Option<usize>,
    pub(crate) log_json: Option<bool>,
}

/// What the command line said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags {
    pub(crate) data: Option<PathBuf>,
    pub(crate) config: Option<PathBuf>,
    pub(crate) deal: Option<PathBuf>,
    pub(crate) state: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    data: Option<PathBuf>,
    deal: Option<PathBuf>,
    state: Option<String>,
    #[serde(default)]
    serve: Serve,
    seed: Option<u64>,
    threads: Option<usize>,
}

impl Config {
    /// Reads the configuration; `environment` looks a variable up.
    pub(crate) fn load(flags: &Flags, environment: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let named = flags.config.clone().or_else(|| environment("MARQUEE_CONFIG").map(PathBuf::from));
        let path = named.clone().or_else(default_file);
        let file = match &path {
            Some(path) if named.is_some() || path.exists() => read(path)?,
            _ => File::default(),
        };
        let from_file = || Origin::File(path.clone().unwrap_or_default());
        let env = |name: &'static str| environment(name).map(|v| (v, Origin::Environment(name)));
        let data = match (&flags.data, env("MARQUEE_DATA"), file.data) {
            (Some(value), ..) => Setting { value: value.clone(), origin: Origin::Flag("--data") },
            (_, Some((value, origin)), _) => Setting { value: value.into(), origin },
            (_, _, Some(value)) => Setting { value, origin: from_file() },
            _ => Setting { value: default_data()?, origin: Origin::Default },
        };
        let deal = match (&flags.deal, env("MARQUEE_DEAL"), file.deal) {
            (Some(value), ..) => Setting { value: Some(value.clone()), origin: Origin::Flag("--deal") },
            (_, Some((value, origin)), _) => Setting { value: Some(value.into()), origin },
            (_, _, Some(value)) => Setting { value: Some(value), origin: from_file() },
            _ => Setting { value: None, origin: Origin::Default },
        };
        let state = match (&flags.state, env("MARQUEE_STATE"), file.state) {
            (Some(value), ..) => Setting { value: Some(value.clone()), origin: Origin::Flag("--state") },
            (_, Some((value, origin)), _) => Setting { value: Some(value), origin },
            (_, _, Some(value)) => Setting { value: Some(value), origin: from_file() },
            _ => Setting { value: None, origin: Origin::Default },
        };
        Ok(Self {
            data,
            deal,
            state,
            serve: file.serve,
            seed: number(env("MARQUEE_SEED"), file.seed, from_file, 1)?,
            threads: number(env("MARQUEE_THREADS"), file.threads, from_file, 0)?,
        })
    }

    /// Name, value and origin of each setting, in words.
    pub(crate) fn rows(&self) -> [(&'static str, String, String); 5] {
        let deal =
            self.deal.value.as_ref().map_or_else(|| "built in".to_owned(), |p| p.display().to_string());
        // A password must not reach a terminal.
        let state = match &self.state.value {
            None => "in the data folder".to_owned(),
            Some(url) => without_password(url),
        };
        [
            ("data", self.data.value.display().to_string(), self.data.origin.to_string()),
            ("deal", deal, self.deal.origin.to_string()),
            ("state", state, self.state.origin.to_string()),
            ("seed", self.seed.value.to_string(), self.seed.origin.to_string()),
            ("threads", self.threads.value.to_string(), self.threads.origin.to_string()),
        ]
    }
}

/// A URL without the user and password that it may hold.
fn without_password(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, place)| place))
        }
        None => url.to_owned(),
    }
}

fn number<T: std::str::FromStr>(
    environment: Option<(String, Origin)>,
    file: Option<T>,
    from_file: impl Fn() -> Origin,
    default: T,
) -> Result<Setting<T>> {
    Ok(match (environment, file) {
        (Some((text, origin)), _) => match text.trim().parse() {
            Ok(value) => Setting { value, origin },
            Err(_) => bail!("{origin} is `{text}`, which is not a whole number: correct or unset it"),
        },
        (_, Some(value)) => Setting { value, origin: from_file() },
        _ => Setting { value: default, origin: Origin::Default },
    })
}

fn read(path: &Path) -> Result<File> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the configuration file {}", path.display()))?;
    toml::from_str(&text)
        .with_context(|| format!("the configuration file {} is not understood", path.display()))
}

fn default_file() -> Option<PathBuf> {
    Some(directories::ProjectDirs::from("", "", "marquee")?.config_dir().join("config.toml"))
}

fn default_data() -> Result<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "marquee")
        .context("this account has no home folder: name a data folder with --data DIR or MARQUEE_DATA")?;
    Ok(folders.data_dir().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_go_before_the_environment_before_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config.toml");
        std::fs::write(&file, "data = \"/from/file\"\nseed = 7\n").expect("written");
        let flags = Flags { config: Some(file.clone()), ..Flags::default() };
        let nothing = |_: &str| None;
        let config = Config::load(&flags, nothing).expect("loaded");
        assert_eq!((config.data.value.as_path(), config.seed.value), (Path::new("/from/file"), 7));
        assert_eq!(config.data.origin, Origin::File(file));
        let env = |name: &str| (name == "MARQUEE_DATA").then(|| "/from/env".to_owned());
        assert_eq!(Config::load(&flags, env).expect("loaded").data.value, Path::new("/from/env"));
        let flags = Flags { data: Some("/from/flag".into()), ..flags };
        assert_eq!(Config::load(&flags, env).expect("loaded").data.origin, Origin::Flag("--data"));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config.toml");
        std::fs::write(&file, "colour = \"red\"\n").expect("written");
        let flags = Flags { config: Some(file), ..Flags::default() };
        let said = format!("{:#}", Config::load(&flags, |_| None).expect_err("refused"));
        assert!(said.contains("config.toml") && said.contains("colour"), "{said}");
        let env = |name: &str| (name == "MARQUEE_SEED").then(|| "many".to_owned());
        let said = Config::load(&Flags::default(), env).expect_err("refused").to_string();
        assert!(said.contains("MARQUEE_SEED") && said.contains("many"), "{said}");
    }
}
