//! What kube-proxy answers over HTTP on its node.
//!
//! Owns the health checks that load balancers ask for: one per Service with `externalTrafficPolicy: Local`, and
//! the node's own at port 10256. What there is to tell is counted in [`crate::network`]. Source:
//! `pkg/proxy/healthcheck`.

use super::http::{Request, Response, http_date};
use crate::api::time::Timestamp;

/// The port of kube-proxy's own health (`healthzBindAddress`).
pub const HEALTH_PORT: u16 = 10_256;

/// The answer at the health check node port of a Service: 200 where the node has ready endpoints of its own.
#[must_use]
pub fn service_health(
    namespace: &str,
    name: &str,
    endpoints: usize,
    request: &Request,
    now: Timestamp,
) -> Response {
    let (status, reason) = if endpoints > 0 { (200, "OK") } else { (503, "Service Unavailable") };
    let body = format!(
        "{{\n\t\"service\": {{\n\t\t\"namespace\": \"{namespace}\",\n\t\t\"name\": \"{name}\"\n\t}},\n\t\"localEndpoints\": {endpoints},\n\t\"serviceProxyHealthy\": true\n}}"
    );
    let weight = [("X-Load-Balancing-Endpoint-Weight".to_owned(), endpoints.to_string())];
    json(status, reason, weight.into(), body, request, now)
}

/// The answer at port 10256.
#[must_use]
pub fn node_health(request: &Request, now: Timestamp) -> Response {
    let path = request.target.split('?').next().unwrap_or_default();
    if path != "/healthz" && path != "/livez" {
        let mut response =
            json(404, "Not Found", Vec::new(), "404 page not found\n".to_owned(), request, now);
        response.headers[0].1 = "text/plain; charset=utf-8".to_owned();
        return response;
    }
    let time = now.to_string().replace('T', " ").replace('Z', " +0000 UTC");
    let body = format!("{{\"lastUpdated\": \"{time}\",\"currentTime\": \"{time}\", \"nodeEligible\": true}}");
    json(200, "OK", Vec::new(), body, request, now)
}

/// A response with the headers of Go's server: the handler's own by name, then date and length.
fn json(
    status: u16,
    reason: &'static str,
    more: Vec<(String, String)>,
    body: String,
    request: &Request,
    now: Timestamp,
) -> Response {
    let header = |name: &str, value: String| (name.to_owned(), value);
    let mut headers = vec![
        header("Content-Type", "application/json".to_owned()),
        header("X-Content-Type-Options", "nosniff".to_owned()),
    ];
    headers.extend(more);
    headers.push(header("Date", http_date(now)));
    headers.push(header("Content-Length", body.len().to_string()));
    let body = if request.method == "HEAD" { String::new() } else { body };
    Response { status, reason, headers, body }
}
