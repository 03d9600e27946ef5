//! The cheapest stand-in for a stack: it measures the load generator's maximum rate.
//!
//! It accepts every order of the sync and async lanes unread, and prints the arguments to use:
//!
//! ```sh
//! cargo run --release --example null_server
//! twolane compare --only sync --rate 12000 --duration 10 --api-url http://127.0.0.1:…
//! ```
#![expect(clippy::print_stdout, reason = "it is a program")]

use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use twolane_load::open_files;

/// In bytes.
const LARGEST: usize = 16 * 1024;

fn main() -> io::Result<()> {
    open_files::raise_limit();
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("--api-url http://{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            // A disconnected caller is not an error.
            tokio::spawn(async move { drop(serve(stream).await) });
        }
    })
}

/// Answers each request as soon as it is complete.
async fn serve(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; LARGEST];
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Ok(());
        }
        filled += read;
        let Some((length, is_sync)) = request(&buffer[..filled]) else { continue };
        buffer.copy_within(length..filled, 0);
        filled -= length;
        let answer: &[u8] = if is_sync {
            b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}"
        } else {
            b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{}"
        };
        stream.write_all(answer).await?;
    }
}

/// Bytes of the first complete request, and whether it is for the sync lane.
fn request(bytes: &[u8]) -> Option<(usize, bool)> {
    let head_end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..head_end]).ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let end = head_end + length.unwrap_or(0);
    (bytes.len() >= end).then(|| (end, head.starts_with("PUT /sync/")))
}
