//! The catalogue of images: what each listens on, answers and has inside.
//!
//! Owns the table and the look-up. It is data about public images; how a server answers is in
//! [`super::http`], how long a container's command runs is in [`super::process`]. An image that is not in the
//! table but may exist runs all the same, listening on its declared ports, and is marked as assumed.

use super::official::is_official;
use super::reference::Reference;

/// What answers on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum App {
    /// nginx with its welcome page and the files of its document root.
    Nginx,
    /// Apache httpd with its one line.
    Httpd,
    /// agnhost `netexec`: `/hostname`, `/clientip`, `/echo`, `/healthz`.
    Netexec,
    /// The host's name and nothing else (`serve_hostname`, agnhost `serve-hostname`).
    ServeHostname,
    /// hashicorp/http-echo: one text from its arguments.
    HttpEcho,
    /// traefik/whoami: addresses and the request.
    Whoami,
    /// echoserver: the request with the client's address.
    Echoserver,
    /// google-samples/hello-app.
    HelloApp,
    /// kubernetes-bootcamp.
    Bootcamp,
    /// CoreDNS' metrics and health pages (its DNS port answers queries in [`crate::network`]).
    CoreDns,
    /// DNS queries.
    Dns,
    /// HTTP of an image that Portside does not know: an empty page that says so.
    AssumedHttp,
    /// A server that accepts connections and speaks no HTTP.
    Tcp,
    /// agnhost `netexec` over UDP: `hostname`, `clientip`, `echo …`.
    NetexecUdp,
    /// A UDP or SCTP port that takes what comes.
    Datagram,
}

/// The transport of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A port that an image's own command opens.
#[derive(Clone, Copy, Debug)]
pub struct Listens {
    /// The port's number.
    pub port: u16,
    /// Its transport.
    pub transport: Transport,
    /// What answers.
    pub app: App,
}

/// What an image has inside besides its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Userland {
    /// busybox: ash and applets, wget and nslookup among them.
    Busybox,
    /// Alpine: busybox with curl where the image has it.
    Alpine,
    /// Debian with bash and coreutils; no curl, wget, ping or nslookup.
    Debian,
    /// Debian with curl.
    DebianCurl,
    /// Everything a person needs to look at a network.
    NetworkTools,
    /// curl's own image: busybox and curl.
    Curl,
    /// No shell at all.
    Bare,
}

/// What the image's own command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Serves until it is stopped.
    Serves,
    /// Waits until it is stopped.
    Waits,
    /// A shell: without input it ends at once with status 0.
    Shell,
    /// Prints something and ends with status 0.
    Ends,
    /// Ends with status 1 and a complaint, for want of settings (mysql and postgres without a password).
    NeedsEnv(&'static [&'static str]),
}

/// One row of the catalogue.
#[derive(Debug)]
pub struct Image {
    /// Repositories that it stands for, without registry: `library/nginx`, or a last part such as
    /// `agnhost` that many registries have.
    pub names: &'static [&'static str],
    /// What its own command opens.
    pub listens: &'static [Listens],
    /// What its own command does.
    pub entry: Entry,
    /// What is inside.
    pub userland: Userland,
    /// Size in bytes, as the kubelet reports it when it was pulled.
    pub bytes: u64,
}

const fn tcp(port: u16, app: App) -> Listens {
    Listens { port, transport: Transport::Tcp, app }
}

const fn udp(port: u16, app: App) -> Listens {
    Listens { port, transport: Transport::Udp, app }
}

const fn server(
    names: &'static [&'static str],
    listens: &'static [Listens],
    userland: Userland,
    megabytes: u64,
) -> Image {
    Image { names, listens, entry: Entry::Serves, userland, bytes: megabytes * 1_000_000 }
}

const fn other(names: &'static [&'static str], entry: Entry, userland: Userland, megabytes: u64) -> Image {
    Image { names, listens: &[], entry, userland, bytes: megabytes * 1_000_000 }
}

/// The catalogue. The first row that fits counts.
pub static IMAGES: &[Image] = &[
    server(&["bitnami/nginx"], &[tcp(8080, App::Nginx)], Userland::DebianCurl, 72),
    server(&["library/nginx", "nginx", "nginx-slim"], &[tcp(80, App::Nginx)], Userland::DebianCurl, 72),
    server(&["nginx-unprivileged"], &[tcp(8080, App::Nginx)], Userland::DebianCurl, 72),
    server(&["library/httpd", "httpd"], &[tcp(80, App::Httpd)], Userland::Debian, 45),
    other(&["agnhost"], Entry::Waits, Userland::NetworkTools, 54),
    server(&["serve_hostname", "serve-hostname"], &[tcp(9376, App::ServeHostname)], Userland::Bare, 6),
    server(&["http-echo"], &[tcp(5678, App::HttpEcho)], Userland::Bare, 6),
    server(&["whoami"], &[tcp(80, App::Whoami)], Userland::Bare, 3),
    server(&["echoserver"], &[tcp(8080, App::Echoserver)], Userland::Debian, 42),
    server(&["hello-app"], &[tcp(8080, App::HelloApp)], Userland::Bare, 12),
    server(&["kubernetes-bootcamp"], &[tcp(8080, App::Bootcamp)], Userland::DebianCurl, 84),
    server(
        &["coredns"],
        &[
            udp(53, App::Dns),
            tcp(53, App::Dns),
            tcp(9153, App::CoreDns),
            tcp(8080, App::CoreDns),
            tcp(8181, App::CoreDns),
        ],
        Userland::Bare,
        20,
    ),
    server(&["library/redis", "library/valkey"], &[tcp(6379, App::Tcp)], Userland::Debian, 45),
    server(&["library/memcached"], &[tcp(11211, App::Tcp)], Userland::Debian, 33),
    server(&["library/mongo"], &[tcp(27017, App::Tcp)], Userland::Debian, 270),
    server(&["library/rabbitmq"], &[tcp(5672, App::Tcp), tcp(15692, App::Tcp)], Userland::Debian, 100),
    server(&["library/nats"], &[tcp(4222, App::Tcp), tcp(8222, App::AssumedHttp)], Userland::Bare, 10),
    server(&["library/zookeeper"], &[tcp(2181, App::Tcp)], Userland::DebianCurl, 120),
    server(&["library/cassandra"], &[tcp(9042, App::Tcp)], Userland::Debian, 150),
    server(&["library/tomcat", "library/jetty"], &[tcp(8080, App::AssumedHttp)], Userland::DebianCurl, 180),
    server(
        &["library/caddy", "library/wordpress", "library/php"],
        &[tcp(80, App::AssumedHttp)],
        Userland::Debian,
        60,
    ),
    server(&["library/registry"], &[tcp(5000, App::AssumedHttp)], Userland::Alpine, 10),
    Image {
        names: &["library/mysql", "library/mariadb", "library/percona"],
        listens: &[tcp(3306, App::Tcp)],
        entry: Entry::NeedsEnv(&[
            "MYSQL_ROOT_PASSWORD",
            "MYSQL_ALLOW_EMPTY_PASSWORD",
            "MYSQL_RANDOM_ROOT_PASSWORD",
            "MARIADB_ROOT_PASSWORD",
            "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD",
            "MARIADB_RANDOM_ROOT_PASSWORD",
        ]),
        userland: Userland::Debian,
        bytes: 240_000_000,
    },
    Image {
        names: &["library/postgres"],
        listens: &[tcp(5432, App::Tcp)],
        entry: Entry::NeedsEnv(&["POSTGRES_PASSWORD", "POSTGRES_HOST_AUTH_METHOD"]),
        userland: Userland::Debian,
        bytes: 150_000_000,
    },
    other(&["pause"], Entry::Waits, Userland::Bare, 0),
    other(&["dnsutils", "jessie-dnsutils"], Entry::Waits, Userland::NetworkTools, 115),
    other(&["netshoot", "network-multitool"], Entry::Shell, Userland::NetworkTools, 200),
    other(&["curlimages/curl", "curl"], Entry::Ends, Userland::Curl, 10),
    other(&["busyboxplus"], Entry::Shell, Userland::Curl, 13),
    other(&["library/busybox", "busybox"], Entry::Shell, Userland::Busybox, 2),
    other(&["library/alpine", "alpine"], Entry::Shell, Userland::Alpine, 4),
    other(&["library/hello-world"], Entry::Ends, Userland::Bare, 0),
    other(&["library/bash"], Entry::Shell, Userland::Alpine, 6),
    other(
        &["library/debian", "library/ubuntu", "library/fedora", "library/centos", "library/rockylinux"],
        Entry::Shell,
        Userland::Debian,
        49,
    ),
    other(&["library/buildpack-deps"], Entry::Shell, Userland::DebianCurl, 49),
    other(
        &["library/python", "library/node", "library/ruby", "library/golang", "library/openjdk"],
        Entry::Shell,
        Userland::DebianCurl,
        350,
    ),
];

/// What is known of an image.
#[derive(Clone, Debug)]
pub enum Known {
    /// It is in the catalogue.
    Image(&'static Image),
    /// It is not, and is assumed to run and to listen on the ports that the container declares.
    Assumed,
    /// It does not exist: pulling it fails.
    Missing,
}

/// Looks an image up.
#[must_use]
pub fn find(reference: &Reference) -> Known {
    let written = format!("{}:{}", reference.repository, reference.tag);
    // The marks of the reference sessions for images that cannot be pulled.
    if ["nosuch", "no-such", "does-not-exist"].iter().any(|mark| written.contains(mark)) {
        return Known::Missing;
    }
    let short = reference.short_name();
    let official = reference.official_name();
    if official.is_some_and(|name| !is_official(name)) {
        return Known::Missing;
    }
    let fits =
        |image: &&Image| image.names.iter().any(|name| *name == reference.repository || *name == short);
    IMAGES.iter().find(fits).map_or(Known::Assumed, Known::Image)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(text: &str) -> Known {
        find(&Reference::parse(text).unwrap())
    }

    #[test]
    fn official_images_exist_by_their_right_name_alone() {
        assert!(matches!(known("nginx:1.16.1"), Known::Image(image) if image.listens[0].port == 80));
        assert!(matches!(known("ngnix"), Known::Missing));
        assert!(matches!(known("nginx:nosuch"), Known::Missing));
        assert!(matches!(known("perl"), Known::Assumed));
    }

    #[test]
    fn images_of_organisations_are_known_by_their_last_part_or_assumed() {
        assert!(matches!(known("registry.k8s.io/e2e-test-images/agnhost:2.40"), Known::Image(_)));
        assert!(matches!(known("eipwork/kuboard:v3"), Known::Assumed));
    }
}
