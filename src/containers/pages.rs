//! Pages that servers come with.
//!
//! Owns the bodies of nginx' and Apache's own pages, byte for byte as the servers send them (reference:
//! `network/tools/curl`), and the versions and dates that go with nginx' files.

/// nginx' welcome page since 1.21.
pub(super) const NGINX_WELCOME: &str = "<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
html { color-scheme: light dark; }
body { width: 35em; margin: 0 auto;
font-family: Tahoma, Verdana, Arial, sans-serif; }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>

<p>For online documentation and support please refer to
<a href=\"http://nginx.org/\">nginx.org</a>.<br/>
Commercial support is available at
<a href=\"http://nginx.com/\">nginx.com</a>.</p>

<p><em>Thank you for using nginx.</em></p>
</body>
</html>
";

/// The style of the welcome page before 1.21.
pub(super) const NGINX_OLD_STYLE: &str = "    body {
        width: 35em;
        margin: 0 auto;
        font-family: Tahoma, Verdana, Arial, sans-serif;
    }
";

/// The style of the welcome page since 1.21, to be replaced by the old one.
pub(super) const NGINX_NEW_STYLE: &str = "html { color-scheme: light dark; }
body { width: 35em; margin: 0 auto;
font-family: Tahoma, Verdana, Arial, sans-serif; }
";

/// Apache httpd's page.
pub(super) const HTTPD_WELCOME: &str = "<html><body><h1>It works!</h1></body></html>\n";

/// A release of nginx.
pub(super) struct NginxRelease {
    /// Major and minor version, as tags write it.
    pub line: (u32, u32),
    /// The last release of that line.
    pub version: &'static str,
    /// When its files were made, in seconds since 1970: the `Last-Modified` of its pages.
    pub made: i64,
}

/// Releases of nginx, oldest first; the last one is what `latest` means.
pub(super) const NGINX_RELEASES: &[NginxRelease] = &[
    NginxRelease { line: (1, 7), version: "1.7.9", made: 1_419_348_877 },
    NginxRelease { line: (1, 14), version: "1.14.2", made: 1_543_934_689 },
    NginxRelease { line: (1, 16), version: "1.16.1", made: 1_565_690_700 },
    NginxRelease { line: (1, 18), version: "1.18.0", made: 1_587_478_575 },
    NginxRelease { line: (1, 19), version: "1.19.10", made: 1_618_327_529 },
    NginxRelease { line: (1, 20), version: "1.20.2", made: 1_637_075_720 },
    NginxRelease { line: (1, 21), version: "1.21.6", made: 1_643_124_535 },
    NginxRelease { line: (1, 22), version: "1.22.1", made: 1_666_166_540 },
    NginxRelease { line: (1, 23), version: "1.23.4", made: 1_680_021_002 },
    NginxRelease { line: (1, 24), version: "1.24.0", made: 1_681_226_430 },
    NginxRelease { line: (1, 25), version: "1.25.5", made: 1_713_277_799 },
    NginxRelease { line: (1, 26), version: "1.26.3", made: 1_738_760_515 },
    NginxRelease { line: (1, 27), version: "1.27.5", made: 1_744_804_871 },
    NginxRelease { line: (1, 28), version: "1.28.0", made: 1_745_412_095 },
    NginxRelease { line: (1, 29), version: "1.29.0", made: 1_750_785_761 },
];

/// nginx' page for an error.
pub(super) fn nginx_error(status: u16, reason: &str, version: &str) -> String {
    format!(
        "<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n<center><h1>{status} {reason}</h1></center>\r\n\
         <hr><center>nginx/{version}</center>\r\n</body>\r\n</html>\r\n"
    )
}

/// Apache's page for a path that is not there.
pub(super) const HTTPD_NOT_FOUND: &str = "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">
<html><head>
<title>404 Not Found</title>
</head><body>
<h1>Not Found</h1>
<p>The requested URL was not found on this server.</p>
</body></html>
";
