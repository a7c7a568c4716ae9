//! Reads to its end what nobody has read of a request.
//!
//! An answer that is given before its request has ended makes HTTP/2 reset the stream and HTTP/1.1 close the connection.
//! Clients in use (curl 7.88 among them) throw the answer away then and report a broken connection in place of a 401.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header::EXPECT;
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

/// How much is read, and for how long, for the sake of an answer. Whoever sends more is cut off.
const LARGEST: usize = 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs a request whose body is read to its end by somebody.
pub(crate) async fn layer(request: Request, next: Next) -> Response {
    // Who asks before sending sends nothing after a refusal.
    if request.body().is_end_stream() || request.headers().contains_key(EXPECT) {
        return next.run(request).await;
    }
    next.run(request.map(|body| Body::new(Drained(Some(body))))).await
}

/// A body; dropping it leaves what is left to a task.
struct Drained(Option<Body>);

impl HttpBody for Drained {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Drained {
    fn drop(&mut self) {
        let rest = self.0.take().filter(|rest| !rest.is_end_stream());
        if let (Some(rest), Ok(runtime)) = (rest, tokio::runtime::Handle::try_current()) {
            runtime.spawn(tokio::time::timeout(PATIENCE, read(rest)));
        }
    }
}

async fn read(mut body: Body) {
    let mut left = LARGEST;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::Router;
    use axum::http::StatusCode;
    use axum::middleware::from_fn;
    use axum::routing::post;
    use futures_util::StreamExt;
    use futures_util::stream;
    use tokio::sync::oneshot;
    use tower::ServiceExt;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(20);

    fn router() -> Router {
        Router::new()
            .route("/refuse", post(|| async { StatusCode::UNAUTHORIZED }))
            .route("/read", post(|body: String| async { body }))
            .layer(from_fn(layer))
    }

    async fn send(path: &str, body: Body) -> Response {
        router().oneshot(Request::post(path).body(body).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn what_nobody_reads_is_read_to_its_end() {
        let (end, ended) = oneshot::channel();
        let last = stream::once(async move {
            end.send(()).unwrap();
            Ok("last")
        });
        let body = Body::from_stream(stream::iter([Ok::<_, Infallible>("first"), Ok("second")]).chain(last));
        assert_eq!(send("/refuse", body).await.status(), StatusCode::UNAUTHORIZED);
        tokio::time::timeout(DEADLINE, ended).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn what_is_read_arrives_whole() {
        let body = Body::from_stream(stream::iter([Ok::<_, Infallible>("first "), Ok("second")]));
        let answer = send("/read", body).await.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(answer, "first second");
    }

    #[tokio::test]
    async fn what_does_not_end_is_cut_off() {
        let (kept, dropped) = oneshot::channel::<()>();
        let chunk = Bytes::from(vec![0; LARGEST / 4]);
        let endless = stream::repeat_with(move || {
            let _ = &kept;
            Ok::<_, Infallible>(chunk.clone())
        });
        assert_eq!(send("/refuse", Body::from_stream(endless)).await.status(), StatusCode::UNAUTHORIZED);
        tokio::time::timeout(DEADLINE, dropped).await.unwrap().unwrap_err();
    }
}
