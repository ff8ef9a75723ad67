//! Command lines: argh, with both `--flag value` and `--flag=value`.

use std::path::PathBuf;
use std::process::ExitCode;

use argh::TopLevelCommand;

use crate::error::Error;

/// Splits `--flag=value` at its first `=`, which argh alone does not.
///
/// The value is left unchanged: `--server-args=--rate=0` has the value `--rate=0`.
pub fn split_equals(args: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut split = Vec::new();
    for arg in args {
        match arg.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => {
                split.extend([flag.to_owned(), value.to_owned()]);
            }
            _ => split.push(arg),
        }
    }
    split
}

/// Parses the arguments of the command `name`.
///
/// # Errors
/// The exit status, after printing the help text or the usage error.
pub fn parse<T: TopLevelCommand>(
    name: &str,
    args: impl IntoIterator<Item = String>,
) -> Result<T, ExitCode> {
    let args = split_equals(args);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    T::from_args(&[name], &args).map_err(|exit| {
        if exit.status.is_ok() {
            println!("{}", exit.output);
            ExitCode::SUCCESS
        } else {
            eprintln!("{}\nRun {name} --help for more information.", exit.output.trim_end());
            ExitCode::FAILURE
        }
    })
}

/// The chat server's program: the given one, or the one beside this program.
///
/// # Errors
/// If the operating system does not say where this program is.
pub fn chat_server(given: Option<PathBuf>) -> Result<PathBuf, Error> {
    let own = std::env::current_exe().map_err(Error::io("looking for chat-server"));
    given.map_or_else(|| Ok(own?.with_file_name("chat-server")), Ok)
}

/// Returns the exit status of a command, after printing its error to standard error.
pub fn finish(name: &str, result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_flag_are_the_same() {
        let args = ["--port=1", "--ip", "::1", "a=b", "--server-args=--rate=0"];
        assert_eq!(
            split_equals(args.map(str::to_owned)),
            ["--port", "1", "--ip", "::1", "a=b", "--server-args", "--rate=0"]
        );
    }
}
