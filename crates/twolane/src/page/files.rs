//! The page's files, from `page/`.

pub(super) struct File {
    pub(super) name: &'static str,
    pub(super) media_type: &'static str,
    pub(super) content: &'static str,
}

macro_rules! files {
    ($($name:literal $media_type:literal;)*) => {
        pub(super) const FILES: &[File] = &[$(File {
            name: $name,
            media_type: $media_type,
            content: include_str!(concat!("../../../../page/", $name)),
        }),*];
    };
}

files! {
    "index.html" "text/html; charset=utf-8";
    "page.css" "text/css; charset=utf-8";
    "icon.svg" "image/svg+xml";
    "app.js" "text/javascript; charset=utf-8";
    "figures.js" "text/javascript; charset=utf-8";
    "lanes.js" "text/javascript; charset=utf-8";
    "my-orders.js" "text/javascript; charset=utf-8";
    "report.js" "text/javascript; charset=utf-8";
    "sign-in.js" "text/javascript; charset=utf-8";
    "signed-in.html" "text/html; charset=utf-8";
    "signed-in.js" "text/javascript; charset=utf-8";
    "timeline.js" "text/javascript; charset=utf-8";
    "twolane-client.js" "text/javascript; charset=utf-8";
}
