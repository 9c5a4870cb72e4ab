//! The commands, one file each (small ones of one theme share a file). How to add one: the header of [`super`].

mod about;
mod base64;
mod by_hand;
mod condition;
mod conntrack;
mod curl;
mod dig;
mod echo;
mod fields;
mod files;
mod getent;
mod grep;
mod host;
mod ip;
mod ipset;
mod iptables;
mod ipvsadm;
mod lines;
mod load;
mod nc;
mod ncat;
mod nft;
mod nslookup;
mod order;
mod ping;
pub mod regex;
mod run;
mod sed;
mod shells;
mod sleep;
mod socat;
mod ss;
mod trace;
mod traceroute;
mod url;
mod wget;
mod why;
mod world;

use super::command::Command;
use super::kubectl;

/// Every command that is not part of the shell itself.
pub static COMMANDS: &[&Command] = &[
    &about::CLEAR,
    &about::DATE,
    &about::HELP,
    &about::HOSTNAME,
    &about::ID,
    &about::PRINTENV,
    &about::UNAME,
    &about::WHICH,
    &about::WHOAMI,
    &base64::COMMAND,
    &condition::BRACKET,
    &condition::TEST,
    &conntrack::COMMAND,
    &curl::COMMAND,
    &dig::COMMAND,
    &echo::ECHO,
    &echo::FALSE,
    &echo::PRINTF,
    &echo::SEQ,
    &echo::TRUE,
    &echo::YES,
    &fields::CUT,
    &fields::TR,
    &files::BASENAME,
    &files::CAT,
    &files::CP,
    &files::DIRNAME,
    &files::LS,
    &files::MKDIR,
    &files::MV,
    &files::PWD,
    &files::RM,
    &files::RMDIR,
    &files::TOUCH,
    &getent::COMMAND,
    &grep::COMMAND,
    &host::COMMAND,
    &ip::COMMAND,
    &iptables::COMMAND,
    &iptables::COMMAND_6,
    &iptables::SAVE,
    &iptables::SAVE_6,
    &ipset::COMMAND,
    &ipvsadm::COMMAND,
    &kubectl::COMMAND,
    &lines::HEAD,
    &lines::NL,
    &lines::REV,
    &lines::TAC,
    &lines::TAIL,
    &lines::TEE,
    &lines::WC,
    &load::COMMAND,
    &nc::COMMAND,
    &ncat::COMMAND,
    &nft::COMMAND,
    &nslookup::COMMAND,
    &order::SHUF,
    &order::SORT,
    &order::UNIQ,
    &ping::COMMAND,
    &run::ENV,
    &run::NOHUP,
    &run::SSH,
    &run::TIMEOUT,
    &run::WATCH,
    &run::XARGS,
    &sed::COMMAND,
    &shells::BASH,
    &shells::SH,
    &sleep::COMMAND,
    &socat::COMMAND,
    &ss::COMMAND,
    &trace::COMMAND,
    &traceroute::COMMAND,
    &wget::COMMAND,
    &why::COMMAND,
    &world::COMMAND,
];
