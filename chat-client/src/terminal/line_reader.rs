//! Reads lines of input in bounded memory, however long they are.

use std::io::{self, BufRead, ErrorKind};

use chat_proto::MAX_PAYLOAD;

/// The longest line, in bytes, which is the longest payload.
pub(crate) const MAX_LINE: usize = MAX_PAYLOAD;

/// The reason why a line was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineError {
    /// It has more than [`MAX_LINE`] bytes.
    TooLong,
    NotUtf8,
}

/// Reads the next line, without its `\n` or `\r\n`, which the last line may lack. Returns `None` at the end of the
/// input.
///
/// # Errors
/// Only those of `input`.
pub(crate) fn next_line(input: &mut impl BufRead) -> io::Result<Option<Result<String, LineError>>> {
    let mut line = Vec::new();
    let mut too_long = false;
    let mut begun = false;
    loop {
        let chunk = match input.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if chunk.is_empty() {
            if !begun {
                return Ok(None);
            }
            break;
        }
        begun = true;
        let end = chunk.iter().position(|&b| b == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        // One more byte is kept, which may be the `\r` of the line end.
        too_long |= line.len() + part.len() > MAX_LINE + 1;
        if !too_long {
            line.extend_from_slice(part);
        }
        let used = part.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            break;
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    if too_long || line.len() > MAX_LINE {
        return Ok(Some(Err(LineError::TooLong)));
    }
    Ok(Some(String::from_utf8(line).map_err(|_| LineError::NotUtf8)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufReader, Read};

    fn lines(input: impl Read) -> Vec<Result<String, LineError>> {
        let mut input = BufReader::with_capacity(7, input);
        std::iter::from_fn(|| next_line(&mut input).expect("reading does not fail")).collect()
    }

    fn line(text: &str) -> Result<String, LineError> {
        Ok(text.to_owned())
    }

    #[test]
    fn lines_end_with_newline_or_carriage_return_and_newline_or_the_input() {
        assert_eq!(
            lines(&b"one\ntwo, and longer\r\n\n\r\n a\rb \nlast"[..]),
            ["one", "two, and longer", "", "", " a\rb ", "last"].map(line)
        );
        assert_eq!(lines(&b"last\n"[..]), [line("last")]);
        assert_eq!(lines(&b""[..]), []);
    }

    #[test]
    fn the_longest_line_and_one_byte_more() {
        let longest = "x".repeat(MAX_LINE);
        let input = format!("{longest}\r\n{longest}x\n{longest}xx\nnext\n{longest}x");
        let too_long = || Err(LineError::TooLong);
        assert_eq!(
            lines(input.as_bytes()),
            [line(&longest), too_long(), too_long(), line("next"), too_long()]
        );
    }

    #[test]
    fn a_line_that_is_not_utf8_is_refused_and_the_next_one_is_not() {
        assert_eq!(
            lines(&b"\xff\xfe\n\xea\xb9\x80\n"[..]),
            [Err(LineError::NotUtf8), line("\u{AE40}")]
        );
    }
}
