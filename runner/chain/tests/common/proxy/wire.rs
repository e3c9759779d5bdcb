//! A connection that can be muted below WebSocket, which answers pings and closing by itself as soon as it reads them.
use super::Handle;
use std::io::Result;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

pub(super) struct Wire {
    stream: TcpStream,
    handle: Handle,
    /// What is written next, up to the end of a frame, is heard even in silence.
    heard: bool,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, handle: Handle) -> Result<Wire> {
        // Frames are small and waited for.
        stream.set_nodelay(true)?;
        Ok(Wire { stream, handle, heard: false })
    }

    /// The next message is sent whatever is switched meanwhile: that it passes was decided, and is in the log.
    pub(super) fn speak(&mut self) {
        self.heard = true;
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    /// What is given here ends with a frame.
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        if !self.heard && self.handle.0.borrow().silent {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        // The rest of a frame follows its beginning, or the peer could not read what comes after the silence.
        self.heard = written < bytes.len();
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
