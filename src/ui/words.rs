//! The page's own words, in every language of the page.
//!
//! Owns texts only. Nouns of Kubernetes stay as they are; names of the regions that assistive technology
//! and tests know ("Terminal", "YAML", "Map", "Inspector") are the same in both languages.

use crate::words::Words;

macro_rules! words {
    ($($name:ident $en:literal $zh:literal;)*) => {
        $(
            #[doc = $en]
            pub const $name: Words = Words { en: $en, zh: $zh };
        )*
    };
}

words! {
    SKIP_TO_TERMINAL "Skip to the terminal" "跳到终端";
    SKIP_TO_MAP "Skip to the map" "跳到地图";
    CLOCK "Virtual time" "虚拟时间";
    UNDO "Undo" "撤销";
    REDO "Redo" "重做";
    STEP "Step" "单步";
    PAUSE "Pause" "暂停";
    PLAY "Play" "继续";
    SPEED "Speed" "速度";
    PAUSED "The clock is paused" "时钟已暂停";
    LANGUAGE "中文" "English";
    THEME_AUTO "Colours: as the system" "配色：跟随系统";
    THEME_LIGHT "Colours: light" "配色：浅色";
    THEME_DARK "Colours: dark" "配色：深色";
    CANCEL "Cancel" "取消";
    SAVE "Save" "保存";
    EDIT_WAITS "The command in the terminal waits for this text." "终端中的命令正在等待这段文本。";
    OPEN_AS_FILE "Open as a file" "作为文件打开";
    PASTED "That looks like a manifest." "这看起来是一份清单。";
    PASTE_HERE "Paste here" "粘贴到这里";
    FILES "Files" "文件";
    NEW_FILE "New file" "新建文件";
    RENAME_FILE "Rename" "重命名";
    DELETE_FILE "Delete" "删除";
    FILE_NAME "File name" "文件名";
    APPLY "Apply" "应用";
    NO_FILE "No file is open. Make one, or paste a manifest anywhere." "没有打开的文件。新建一个，或在任意处粘贴清单。";
    OF " of " " / ";
    PODS_MATCH " Pods match " " 个 Pod 匹配 ";
    READY_AMONG " ready" " 个就绪";
    WOULD "Applying would change" "应用后的变化";
    WOULD_CREATE "creates " "将创建 ";
    WOULD_CHANGE "changes " "将修改 ";
    WOULD_NOTHING "changes nothing" "没有改动";
    PROBLEMS " problems" " 个问题";
    PROBLEM " problem" " 个问题";
    LINE "line " "第 ";
    LINE_END ": " " 行：";
    OUTSIDE "Outside" "集群外";
    SERVICES "Services" "Service";
    NODES "Nodes" "节点";
    UNSCHEDULED "waiting for a node" "等待调度";
    MORE " more" " 个未显示";
    ROUTER "router" "路由器";
    WORKSTATION "workstation" "工作站";
    LOAD_BALANCER "load balancer" "负载均衡器";
    ENDPOINTS_NONE "no endpoints" "没有端点";
    ENDPOINTS_READY " ready" " 就绪";
    CONTROL_PLANE "control plane" "控制平面";
    CORDONED "cordoned" "已禁止调度";
    NODE_NOT_READY "not ready" "未就绪";
    EMPTY_NODE "no Pods" "没有 Pod";
    HINT "Type first:" "先试试：";
    NEW_TERMINAL "New terminal" "新建终端";
    CLOSE_TERMINAL "Close this terminal" "关闭此终端";
    TERMINAL_TAB "Terminal " "终端 ";
    INTERRUPT "Stop (Ctrl-C)" "停止 (Ctrl-C)";
    WAITS_PAUSED "The command waits: the clock is paused." "命令在等待：时钟已暂停。";
    TAB_YAML "YAML" "YAML";
    TAB_MAP "Map" "地图";
    TAB_TERMINAL "Terminal" "终端";
    TAB_DETAILS "Details" "详情";
    CLOSE "Close" "关闭";
    NOTHING_SELECTED "Select a Service, a Pod or a node to see what it is made of." "选择一个 Service、Pod 或节点，查看它的内容。";
    GONE "It no longer exists." "它已不存在。";
    OVERVIEW "Overview" "概览";
    ENDPOINTS "Endpoints" "端点";
    EVENTS "Events" "事件";
    VARIABLES "Variables" "环境变量";
    RULES "Rules" "规则";
    NO_EVENTS "No events." "没有事件。";
    NO_VARIABLES "No container has started yet." "还没有容器启动过。";
    NO_RULES "kube-proxy has written no rules." "kube-proxy 没有写入规则。";
    TYPE "Type" "类型";
    ADDRESS "Address" "地址";
    PORTS "Ports" "端口";
    SELECTOR "Selector" "选择算符";
    NO_SELECTOR "none" "无";
    LABELS "Labels" "标签";
    NODE "Node" "节点";
    NAMESPACE "Namespace" "名字空间";
    STATUS "Status" "状态";
    IMAGES "Images" "镜像";
    POD_RANGE "Pod range" "Pod 网段";
    PODS "Pods" "Pod";
    AGE "Age" "存在时间";
    SERVED_BY "Services" "所属 Service";
    EXTERNAL "External" "外部地址";
    READY "ready" "就绪";
    NOT_READY "not ready" "未就绪";
    TERMINATING "terminating" "正在终止";
    SERVING "terminating, serving" "正在终止，仍在服务";
    FINISHED "finished" "已结束";
    RUN "Run in the terminal" "在终端中运行";
    SEND_PACKET "Send a packet" "发送数据包";
    FROM "From" "从";
    TO "To" "到";
    SEND "Send" "发送";
    REPLAY "Replay" "重放";
    PREVIOUS_HOP "Previous hop" "上一跳";
    NEXT_HOP "Next hop" "下一跳";
    PAUSE_PACKET "Pause the packet" "暂停数据包";
    PLAY_PACKET "Let the packet go on" "继续数据包";
    CLOSE_PACKET "Close the packet" "关闭数据包";
    BEFORE "before" "之前";
    AFTER "after" "之后";
    RULE "rule" "规则";
    LAST_PACKET "Last packet" "最近的数据包";
    HOP "Hop " "第 ";
    DELIVERED "Delivered" "已送达";
    REFUSED "Refused" "被拒绝";
    DROPPED "Dropped" "被丢弃";
    NO_ROUTE "No route" "没有路由";
    SETTINGS "Cluster settings" "集群设置";
    CLOUD "Cloud load balancer" "云负载均衡器";
    PROXY_MODE "kube-proxy mode" "kube-proxy 模式";
    HAIRPIN "Pods reach themselves (hairpin)" "Pod 能访问自己（hairpin）";
    IP_FORWARD "Nodes forward packets (ip_forward)" "节点转发数据包（ip_forward）";
    BRIDGE_NETFILTER "Bridged packets pass the rules (bridge-nf)" "网桥上的数据包经过规则（bridge-nf）";
    FAMILIES "Address families" "地址族";
    PODS_PER_NODE "Pods per node" "每个节点的 Pod 数";
    ZONES "Zones, as a,b,c" "可用区，如 a,b,c";
    SEED "Seed of chance" "随机种子";
    NEEDS_NEW "Of a new cluster" "新集群的设置";
    NEW_KEEPS "Your files stay. The present cluster is set aside and can be brought back." "文件会保留。当前集群会被暂存，可以找回。";
    NEW_CLUSTER "New cluster" "新建集群";
    IS_REPLACED "The session from before is set aside." "之前的会话已暂存。";
    BRING_BACK "Bring it back" "找回";
    IS_DELETED " is deleted." " 已删除。";
    UNDONE "Undone: " "已撤销：";
    REDONE "Done again: " "已重做：";
    SHARE "Share by a link" "用链接分享";
    LINK "Link" "链接";
    LINK_MADE "The link carries your files, settings and objects. It is copied." "链接包含你的文件、设置和对象，已复制。";
    LINK_TOO_LARGE "This session is too large for a link." "此会话太大，无法放进链接。";
    BAD_LINK "The session in this link cannot be read." "无法读取此链接中的会话。";
    LINK_CARRIES "This link carries a session (files: " "此链接带有一个会话（文件：";
    LINK_FILES ", objects: " "，对象：";
    LINK_OBJECTS "). Open it in place of yours?" "）。要用它替换你的会话吗？";
    OPEN "Open" "打开";
    IGNORE "Ignore" "忽略";
    PALETTE "Find anything" "查找一切";
    PALETTE_HINT "An object, a command, a file, an example …" "对象、命令、文件、示例……";
    NOTHING_FOUND "Nothing is called so." "没有这样的名称。";
    PAGE "Portside" "Portside";
    TYPED_BEFORE "typed before" "之前输入过";
    PAUSE_OR_PLAY "Pause or go on" "暂停或继续";
    SHOW_PACKETS "Show packets" "显示数据包";
    SHOW_RULES "Show rules" "显示规则";
    SHOW_FLOWS "Show flows" "显示连接跟踪";
    COLOURS "Other colours" "切换配色";
    LOAD "Load" "压测";
    RATE "Requests a second" "每秒请求数";
    CONNECTIONS "At once" "并发数";
    SECONDS "Seconds" "秒数";
    KEEP_ALIVE "Keep connections" "保持连接";
    START_LOAD "Start" "开始";
    STOP_LOAD "Stop" "停止";
    NO_LOAD "Send many requests and see who answers, how long it takes and what fails. The `load` command does the same in the terminal." "发送大量请求，查看由谁应答、用时多久、有哪些失败。终端里的 `load` 命令作用相同。";
    SENT " sent" " 个已发送";
    ANSWERED " answered" " 个已应答";
    FAILED " failed" " 个失败";
    SHOW_LOAD "Show load" "显示压测";
    OPEN_HOPS "All hops" "所有跳";
    VIEWS "Views" "视图";
    PACKETS "Packets" "数据包";
    FLOWS "Flows" "连接跟踪";
    COMPARE "Put beside the chosen one" "与所选数据包并排比较";
    NO_PACKETS "No packet was sent yet. Run a command that connects, such as curl, or send one below the map." "还没有发送过数据包。运行 curl 之类会建立连接的命令，或在地图下方发送一个。";
    NO_FLOWS "No node remembers a connection yet: conntrack fills as packets pass." "还没有节点记住任何连接：数据包经过时 conntrack 会逐渐填充。";
    PARTS_AT "They part at hop " "从第 ";
    PARTS_END "." " 跳开始不同。";
    TIME "time" "用时";
    TO_PASS "To pass:" "要能通过：";
    ALL_RULES "All rules of this node" "此节点的全部规则";
    RULES_MATCHED " matched by the packet" " 条被数据包匹配";
    MATCHED_ONLY "Only these" "只看这些";
    NONE_MATCHED "The followed packet matched no rule of kube-proxy on this node." "所跟踪的数据包在此节点没有匹配任何 kube-proxy 规则。";
    FLOW_SENT "Sent" "发送";
    FLOW_BACKEND "Translated to" "转换为";
    FLOW_SEEN_AS "Sender as seen" "对方看到的来源";
    FLOW_LAST "Last packet" "最近的数据包";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_texts_are_chinese_where_english_ones_are_words() {
        for words in [UNDO, PAUSE, APPLY, HINT, NOTHING_SELECTED, WAITS_PAUSED, NEW_KEEPS] {
            assert!(!words.zh.is_ascii(), "{}", words.en);
        }
    }
}
