//! Loads that run: the task that sends what is due.
//!
//! Owns the start of a load for the `load` command and the page, and the words for its failures. Plans and
//! statistics are [`crate::simulation::load`]'s: read them from `simulation.loads`.

use std::time::Duration;

use super::host::Host;
use crate::containers::http::Request;
use crate::simulation::load::{LOAD_TICK, LoadFailure, LoadId, LoadPlan};
use crate::words::Words;

/// The request of a load: the page at a URL's path, asked of a host by its name.
#[must_use]
pub fn page(host: &str, target: &str) -> Request {
    let headers = [("Host", host), ("User-Agent", "load"), ("Accept", "*/*")];
    Request {
        method: "GET".to_owned(),
        target: target.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: String::new(),
    }
}

/// Starts a load: from now on it sends by itself, until its time is over or [`stop`] ends it.
pub fn start(host: &Host, plan: LoadPlan) -> LoadId {
    let id = host.with(|simulation| {
        let now = simulation.cluster.now();
        simulation.loads.start(plan, now)
    });
    let world = host.clone();
    host.spawn(Box::pin(async move {
        let runs =
            |host: &Host| host.with(|simulation| simulation.loads.get(id).is_some_and(|load| load.running));
        while runs(&world) {
            world.sleep(Duration::from_micros(LOAD_TICK.0)).await;
            // Several loads are stepped together; whoever comes second finds nothing due.
            world.with(crate::simulation::Simulation::step_loads);
        }
    }));
    id
}

/// Ends a load before its time.
pub fn stop(host: &Host, id: LoadId) {
    host.with(|simulation| simulation.loads.stop(id));
}

/// A failure in words.
#[must_use]
pub fn words(failure: LoadFailure) -> Words {
    match failure {
        LoadFailure::NoEndpoints => Words { en: "refused: no endpoints", zh: "被拒绝：没有端点" },
        LoadFailure::NoSuchPort => {
            Words { en: "refused: no such port", zh: "被拒绝：没有这个端口" }
        }
        LoadFailure::Closed => {
            Words { en: "refused: nothing listens there", zh: "被拒绝：没有进程监听" }
        }
        LoadFailure::Broken => Words {
            en: "broken: the Pod of a kept connection is gone",
            zh: "中断：保持的连接所在的 Pod 已消失",
        },
        LoadFailure::NoLocalEndpoints => {
            Words { en: "timed out: no local endpoint", zh: "超时：没有本地端点" }
        }
        LoadFailure::SourceRanges => Words {
            en: "timed out: outside loadBalancerSourceRanges",
            zh: "超时：不在 loadBalancerSourceRanges 内",
        },
        LoadFailure::TimedOut => Words { en: "timed out", zh: "超时" },
        LoadFailure::NotHttp => {
            Words { en: "connected, and no HTTP answer", zh: "已连接，但没有 HTTP 应答" }
        }
        LoadFailure::NoRoute => Words { en: "no route to host", zh: "没有到主机的路由" },
    }
}
