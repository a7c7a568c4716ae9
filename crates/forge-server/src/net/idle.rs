//! A stream that ends when no byte passes in either direction for too long.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// Wraps a stream; reading fails with `TimedOut` once neither side has moved a byte for the given time.
pub struct IdleTimeout<S> {
    stream: S,
    period: Duration,
    last: Instant,
    alarm: Pin<Box<Sleep>>,
}

impl<S> IdleTimeout<S> {
    /// Starts to watch a stream.
    pub fn new(stream: S, period: Duration) -> Self {
        Self { stream, period, last: Instant::now(), alarm: Box::pin(sleep(period)) }
    }

    fn moved(&mut self, bytes: usize) {
        if bytes > 0 {
            self.last = Instant::now();
        }
    }

    /// Ready once the stream has been idle for the whole period. The alarm is moved only when it rings, so that
    /// busy streams do not touch the timer.
    fn poll_idle(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            ready!(self.alarm.as_mut().poll(context));
            let deadline = self.last + self.period;
            if deadline <= Instant::now() {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            self.alarm.as_mut().reset(deadline);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for IdleTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(outcome) => {
                self.moved(buffer.filled().len() - before);
                Poll::Ready(outcome)
            }
            Poll::Pending => self.poll_idle(context).map(Err),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for IdleTimeout<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Ready(outcome) => {
                self.moved(*outcome.as_ref().unwrap_or(&0));
                Poll::Ready(outcome)
            }
            Poll::Pending => self.poll_idle(context).map(Err),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write_vectored(context, parts) {
            Poll::Ready(outcome) => {
                self.moved(*outcome.as_ref().unwrap_or(&0));
                Poll::Ready(outcome)
            }
            Poll::Pending => self.poll_idle(context).map(Err),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn silence_ends_the_stream_and_bytes_either_way_put_the_end_off() {
        let period = Duration::from_millis(300);
        let (near, mut far) = tokio::io::duplex(64);
        let mut near = IdleTimeout::new(near, period);
        let start = Instant::now();
        for _ in 0..3 {
            sleep(period / 2).await;
            near.write_all(b"x").await.unwrap();
            assert_eq!(far.read_u8().await.unwrap(), b'x');
        }
        let error = near.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(start.elapsed() >= period * 2);
    }
}
