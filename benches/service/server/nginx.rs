//! nginx with Lua, which asks a Redis for one key and records nothing; and nginx answering a
//! constant, which is as little as a server can do.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Route;
use super::redis::Redis;
use crate::Result;
use crate::program::{Core, Program, command, find};
use crate::site::{Site, free_port};

/// The name of a number's key, before the number as it stands in the query.
pub const KEY: &str = "dnc:";

const MODULES: [&str; 2] = ["ndk_http_module.so", "ngx_http_lua_module.so"];

/// A running nginx with one worker.
pub struct Nginx {
    _program: Program,
    address: SocketAddr,
}

impl Nginx {
    /// Starts it on core 1, with `redis` behind it on a Unix socket.
    pub fn start(site: &Site, redis: &Redis) -> Result<Self> {
        let folder = site.folder("nginx")?;
        let port = free_port()?;
        let file = folder.join("nginx.conf");
        fs::write(&file, configuration(&folder, port, redis)?)?;
        let mut command = command(Core::Server, binary()?);
        command.arg("-p").arg(&folder).arg("-c").arg(&file);
        let mut program = Program::start(&mut command, "nginx", &folder)?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        program.wait_until(|_| std::net::TcpStream::connect(address).ok())?;
        let nginx = Self {
            _program: program,
            address,
        };
        nginx.get("").prove("nginx with Lua", "1", "0")?;
        nginx
            .constant("")
            .prove("nginx with a constant", "0", "0")?;
        Ok(nginx)
    }

    /// The unaudited `GET` of the number.
    pub fn get(&self, key: &str) -> Route {
        self.route("/get?phone=", key)
    }

    /// The constant.
    pub fn constant(&self, key: &str) -> Route {
        self.route("/constant?phone=", key)
    }

    fn route(&self, before: &str, key: &str) -> Route {
        Route {
            address: self.address,
            before: before.to_owned(),
            after: String::new(),
            key: key.to_owned(),
        }
    }
}

/// What of it is not installed.
pub fn missing() -> Vec<&'static str> {
    let mut missing = Vec::new();
    if module_paths().is_err() {
        missing.push("nginx's module for Lua (libnginx-mod-http-lua)");
    }
    if client().is_err() {
        missing.push("a Redis client for nginx's Lua (lua-nginx-redis)");
    }
    missing
}

fn binary() -> Result<PathBuf> {
    find("nginx").ok_or_else(|| "nginx is missing".into())
}

/// Where the modules lie: where nginx was told at its build, or where distributions put them.
fn module_paths() -> Result<Vec<PathBuf>> {
    let said = Command::new(binary()?).arg("-V").output()?;
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    let built = said
        .split(' ')
        .find_map(|word| word.trim().strip_prefix("--modules-path="));
    let folders = built.into_iter().chain([
        "/usr/lib/nginx/modules",
        "/usr/lib64/nginx/modules",
        "/usr/share/nginx/modules",
    ]);
    for folder in folders {
        let paths = MODULES.map(|module| Path::new(folder).join(module));
        if paths.iter().all(|path| path.exists()) {
            return Ok(paths.to_vec());
        }
    }
    Err("nginx has no module for Lua".into())
}

/// The name of the Lua client, and the path that finds it.
fn client() -> Result<(&'static str, String)> {
    let roots = [
        "/usr/share/lua/5.1",
        "/usr/local/share/lua/5.1",
        "/usr/local/openresty/lualib",
    ];
    for root in roots {
        for (name, file) in [
            ("nginx.redis", "nginx/redis.lua"),
            ("resty.redis", "resty/redis.lua"),
        ] {
            if Path::new(root).join(file).exists() {
                return Ok((name, format!("{root}/?.lua;;")));
            }
        }
    }
    Err("no Redis client for nginx's Lua".into())
}

fn configuration(folder: &Path, port: u16, redis: &Redis) -> Result<String> {
    let modules = module_paths()?;
    let modules: String = modules
        .iter()
        .map(|path| format!("load_module {};\n", path.display()))
        .collect();
    let (client, path) = client()?;
    // As root its workers would be nobody, who may not open the socket.
    let user = match rustix::process::geteuid().is_root() {
        true => "user root;",
        false => "",
    };
    let folder = folder.display();
    let socket = redis.socket.display();
    Ok(format!(
        r#"{user}
{modules}
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log {folder}/error.log warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  lua_package_path "{path}";
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /constant {{ default_type text/plain; return 200 "0"; }}
    location = /get {{
      default_type text/plain;
      content_by_lua_block {{
        local redis = require "{client}"
        local connection = redis:new()
        connection:set_timeout(1000)
        if not connection:connect("unix:{socket}") then return ngx.exit(500) end
        local value, problem = connection:get("{KEY}" .. (ngx.var.arg_phone or ""))
        if not value then return ngx.exit(500) end
        connection:set_keepalive(60000, 512)
        ngx.header["Content-Length"] = 1
        ngx.print(value == ngx.null and "0" or "1")
      }}
    }}
  }}
}}
"#
    ))
}
