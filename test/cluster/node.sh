#!/usr/bin/env bash
# A real one-node Kubernetes of its own: etcd, containerd, runc, CNI plugins and dnsmasq of Debian, Kubernetes' own
# programs from the cache. Everything it makes is in FOLDER, two network interfaces and the network namespaces of its
# pods; `down` takes all of it away again, and so does the end of the process OWNER.
#
#   test/cluster/node.sh up FOLDER OWNER_PID
#   test/cluster/node.sh load FOLDER IMAGE...      from the tests' own podman storage
#   test/cluster/node.sh down FOLDER
set -Eeuo pipefail
# What is made here is read by other users: those inside the images and pods.
umask 022
readonly HERE="$(realpath "$(dirname "${BASH_SOURCE[0]}")")"
readonly VERB=${1:?up, load or down}
readonly D="$(realpath -m "${2:?folder}")"
# An address of this machine's own, on a bridge without ports; pods and services beside it.
readonly ADDRESS=10.213.0.1 PODS=10.213.1.0/24 SERVICES=10.213.2.0/24 FIRST_SERVICE=10.213.2.1
readonly LINK=stsside0

programs() { "$HERE/../components/install.sh" --cached kubernetes | awk '{ print $2 }'; }

say() { printf 'cluster: %s\n' "$*"; }

# start NAME COMMAND...: in the background, its output in a log, its process id in a file.
start() {
  local name=$1
  shift
  setsid nohup "$@" >"$D/log/$name.log" 2>&1 </dev/null &
  echo $! >"$D/run/$name.pid"
}

# until_true SECONDS COMMAND...
until_true() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    if [[ $SECONDS -ge $deadline ]]; then
      printf 'cluster: never succeeded: %s\n' "$*" >&2
      tail -n 5 "$D"/log/*.log >&2 || true
      return 1
    fi
    sleep 0.25
  done
}

certificate() { # NAME SUBJECT ALTERNATIVE_NAMES
  openssl req -newkey rsa:2048 -nodes -keyout "$D/pki/$1.key" -out "$D/pki/$1.csr" -subj "$2" 2>/dev/null
  openssl x509 -req -in "$D/pki/$1.csr" -CA "$D/pki/ca.crt" -CAkey "$D/pki/ca.key" -CAcreateserial -days 2 \
    -out "$D/pki/$1.crt" -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$3") 2>/dev/null
}

kubeconfig() { # NAME
  cat >"$D/$1.kubeconfig" <<END
apiVersion: v1
kind: Config
clusters: [{ name: test, cluster: { server: "https://$ADDRESS:6443", certificate-authority: $D/pki/ca.crt } }]
users: [{ name: user, user: { client-certificate: $D/pki/$1.crt, client-key: $D/pki/$1.key } }]
contexts: [{ name: test, context: { cluster: test, user: user } }]
current-context: test
END
}

identities() {
  openssl genrsa -out "$D/pki/accounts.key" 2048 2>/dev/null
  openssl rsa -in "$D/pki/accounts.key" -pubout -out "$D/pki/accounts.pub" 2>/dev/null
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$D/pki/ca.key" -out "$D/pki/ca.crt" -days 2 -subj /CN=test-ca \
    -addext basicConstraints=critical,CA:TRUE 2>/dev/null
  certificate server /CN=kube-apiserver "IP:127.0.0.1,IP:$ADDRESS,IP:$FIRST_SERVICE,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
  certificate admin /O=system:masters/CN=admin DNS:admin
  certificate controllers /CN=system:kube-controller-manager DNS:controllers
  certificate scheduler /CN=system:kube-scheduler DNS:scheduler
  certificate kubelet /O=system:nodes/CN=system:node:node1 "DNS:node1,IP:$ADDRESS"
  certificate proxy /CN=system:kube-proxy DNS:proxy
  local name
  for name in admin controllers scheduler kubelet proxy; do kubeconfig "$name"; done
}

network() {
  cat /proc/sys/net/ipv4/ip_forward >"$D/ip_forward"
  if iptables --list KUBE-FIREWALL >/dev/null 2>&1; then touch "$D/others-rules"; fi
  ip link add "$LINK" type bridge
  ip address add "$ADDRESS/32" dev "$LINK"
  ip link set "$LINK" up
  # Each pod on a link of its own: all its traffic is routed, so that kube-proxy sees it.
  cat >"$D/cni/10-pods.conflist" <<END
{ "cniVersion": "0.4.0", "name": "stsside", "plugins": [
  { "type": "ptp", "ipMasq": false,
    "ipam": { "type": "host-local", "dataDir": "$D/addresses", "ranges": [[{ "subnet": "$PODS" }]], "routes": [{ "dst": "0.0.0.0/0" }] } } ] }
END
}

control_plane() {
  local bin=$1
  start etcd etcd --data-dir "$D/etcd" --unsafe-no-fsync --listen-client-urls "http://$ADDRESS:2379" \
    --advertise-client-urls "http://$ADDRESS:2379" --listen-peer-urls "http://$ADDRESS:2380" \
    --initial-advertise-peer-urls "http://$ADDRESS:2380" --initial-cluster "default=http://$ADDRESS:2380"
  start apiserver "$bin/kube-apiserver" --etcd-servers="http://$ADDRESS:2379" --bind-address="$ADDRESS" --secure-port=6443 \
    --advertise-address="$ADDRESS" --tls-cert-file="$D/pki/server.crt" --tls-private-key-file="$D/pki/server.key" \
    --client-ca-file="$D/pki/ca.crt" --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
    --service-cluster-ip-range="$SERVICES" --service-account-key-file="$D/pki/accounts.pub" \
    --service-account-signing-key-file="$D/pki/accounts.key" --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --kubelet-preferred-address-types=InternalIP --kubelet-client-certificate="$D/pki/admin.crt" \
    --kubelet-client-key="$D/pki/admin.key" --kubelet-certificate-authority="$D/pki/ca.crt"
  until_true 60 "$bin/kubectl" --kubeconfig "$D/admin.kubeconfig" get --raw /readyz
  start controllers "$bin/kube-controller-manager" --kubeconfig="$D/controllers.kubeconfig" --leader-elect=false \
    --service-account-private-key-file="$D/pki/accounts.key" --root-ca-file="$D/pki/ca.crt" \
    --use-service-account-credentials --bind-address="$ADDRESS"
  start scheduler "$bin/kube-scheduler" --kubeconfig="$D/scheduler.kubeconfig" --leader-elect=false --bind-address="$ADDRESS"
}

containers() {
  cat >"$D/containerd.toml" <<END
version = 2
root = "$D/containers/root"
state = "$D/containers/state"
[grpc]
address = "$D/run/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
restrict_oom_score_adj = true
sandbox_image = "localhost/pause:1"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "$D/cni"
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
END
  start containerd containerd --config "$D/containerd.toml"
  until_true 20 ctr --address "$D/run/containerd.sock" version
}

node() {
  local bin=$1
  cat >"$D/kubelet.yaml" <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix://$D/run/containerd.sock
address: $ADDRESS
healthzBindAddress: $ADDRESS
clusterDNS: [$ADDRESS]
clusterDomain: cluster.local
authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: $D/pki/ca.crt } }
authorization: { mode: Webhook }
tlsCertFile: $D/pki/kubelet.crt
tlsPrivateKeyFile: $D/pki/kubelet.key
featureGates: { KubeletInUserNamespace: true }
cgroupDriver: cgroupfs
cgroupRoot: /
failCgroupV1: false
failSwapOn: false
evictionHard: {}
enforceNodeAllocatable: []
localStorageCapacityIsolation: false
podLogsDir: $D/pods
END
  start kubelet "$bin/kubelet" --config="$D/kubelet.yaml" --kubeconfig="$D/kubelet.kubeconfig" --hostname-override=node1 \
    --root-dir="$D/kubelet" --node-ip="$ADDRESS"
  start proxy "$bin/kube-proxy" --kubeconfig="$D/proxy.kubeconfig" --hostname-override=node1 --cluster-cidr="$PODS" \
    --healthz-bind-address="$ADDRESS:10256" --metrics-bind-address="$ADDRESS:10249" \
    --conntrack-max-per-core=0 --conntrack-tcp-timeout-established=0 --conntrack-tcp-timeout-close-wait=0
}

# The names of services, refreshed twice a second; anything else does not exist.
names() {
  local bin=$1
  : >"$D/hosts"
  start dnsmasq dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --local=/#/ \
    --addn-hosts="$D/hosts" --listen-address="$ADDRESS" --bind-interfaces --local-ttl=0 --pid-file="$D/run/dnsmasq.own" \
    --user=root --log-facility=-
  start names bash -c 'while sleep 0.5; do
    "$1" --kubeconfig "$2/admin.kubeconfig" get services --all-namespaces --no-headers \
      -o custom-columns=ip:.spec.clusterIP,name:.metadata.name,ns:.metadata.namespace 2>/dev/null |
      while read -r ip name ns; do [[ "$ip" == None ]] || echo "$ip $name.$ns.svc.cluster.local"; done >"$2/hosts.new" || continue
    cmp -s "$2/hosts" "$2/hosts.new" && continue
    cat "$2/hosts.new" >"$2/hosts"
    kill -HUP "$(cat "$2/run/dnsmasq.pid")"
  done' names "$bin/kubectl" "$D"
}

up() {
  local owner=$1 bin
  bin="$(programs)"
  if ip link show "$LINK" >/dev/null 2>&1; then
    echo "cluster: another one is up: the interface $LINK exists" >&2
    exit 1
  fi
  mkdir -p "$D"/{etcd,pki,log,cni,kubelet,containers,run,pods}
  start watch "$HERE/node.sh" watch "$D" "$owner"
  network
  identities
  containers
  "$HERE/node.sh" load "$D" localhost/pause:1
  control_plane "$bin"
  node "$bin"
  names "$bin"
  until_true 60 node_ready "$bin"
  say "node ready after $SECONDS s"
}

node_ready() { "$1/kubectl" --kubeconfig "$D/admin.kubeconfig" get node node1 --no-headers | grep -qw Ready; }

load() {
  local image
  for image in "$@"; do
    "$HERE/podman.sh" save --format docker-archive "$image" 2>/dev/null |
      ctr --address "$D/run/containerd.sock" --namespace k8s.io images import - >/dev/null
  done
}

stop() { # NAME SIGNAL
  local file="$D/run/$1.pid" pid waited=0
  [[ -f "$file" ]] || return 0
  pid="$(<"$file")"
  rm -f "$file"
  kill "-${2:-TERM}" "$pid" 2>/dev/null || return 0
  # A process without a waiting parent stays as a zombie.
  while [[ "$(awk '/^State:/ { print $2 }' "/proc/$pid/status" 2>/dev/null)" == [^Z]* ]] && [[ $waited -lt 30 ]]; do
    sleep 0.1
    waited=$((waited + 1))
  done
  kill -KILL "$pid" 2>/dev/null || true
}

down() {
  set +eE
  [[ -d "$D/run" ]] || return 0
  local containerd=(ctr --address "$D/run/containerd.sock" --namespace k8s.io) id name bin
  bin="$(programs)"
  for name in names dnsmasq kubelet proxy controllers scheduler; do stop "$name"; done
  stop apiserver KILL
  for id in $(timeout 10 "${containerd[@]}" tasks ls -q 2>/dev/null); do
    timeout 10 "${containerd[@]}" tasks kill --signal KILL "$id" >/dev/null 2>&1
    timeout 10 "${containerd[@]}" tasks rm --force "$id" >/dev/null 2>&1
  done
  for id in $(timeout 10 "${containerd[@]}" containers ls -q 2>/dev/null); do
    timeout 10 "${containerd[@]}" containers rm "$id" >/dev/null 2>&1
  done
  stop containerd
  # What survived, by its own command line: shims carry the address of this containerd.
  for id in $(pgrep -f -- "-address $D/run/containerd.sock"); do kill -KILL "$id" 2>/dev/null; done
  stop etcd KILL
  remove_namespaces
  awk -v folder="$D/" 'index($2, folder) == 1 { print $2 }' /proc/mounts | sort -r | while read -r name; do
    umount --lazy "$name" 2>/dev/null
  done
  ip link delete "$LINK" 2>/dev/null
  [[ -e "$D/others-rules" ]] || remove_rules "$bin"
  [[ -s "$D/ip_forward" ]] && cat "$D/ip_forward" >/proc/sys/net/ipv4/ip_forward
  rmdir /sys/fs/cgroup/*/kubepods/*/* /sys/fs/cgroup/*/kubepods/* /sys/fs/cgroup/*/kubepods 2>/dev/null
  local watch
  watch="$(cat "$D/run/watch.pid" 2>/dev/null)"
  if [[ -n "${KEEP_LOGS:-}" ]]; then rm -rf "$KEEP_LOGS" && cp -r "$D/log" "$KEEP_LOGS"; fi
  rm -rf "$D"
  say 'down'
  if [[ -n "$watch" && "$watch" != "$$" ]]; then kill "$watch" 2>/dev/null; fi
  return 0
}

# The packet filter's rules that kubelet and kube-proxy leave.
remove_rules() {
  local program table
  [[ -x "$1/kube-proxy" ]] && timeout 20 "$1/kube-proxy" --cleanup >/dev/null 2>&1
  for program in iptables ip6tables; do
    for table in mangle nat filter; do "$program" -t "$table" -X KUBE-KUBELET-CANARY; done
    "$program" -t mangle -X KUBE-IPTABLES-HINT
    for table in INPUT OUTPUT; do "$program" -D "$table" -j KUBE-FIREWALL; done
    "$program" -F KUBE-FIREWALL
    "$program" -X KUBE-FIREWALL
  done 2>/dev/null
}

# The pods' network namespaces: those with an address of this cluster.
remove_namespaces() {
  local name
  for name in $(ip netns list 2>/dev/null | awk '/^cni-/ { print $1 }'); do
    if ip -n "$name" -o address 2>/dev/null | grep -q "inet ${PODS%.0/24}\."; then ip netns delete "$name" 2>/dev/null; fi
  done
}

case "$VERB" in
  up) up "${3:?owner process id}" ;;
  load) load "${@:3}" ;;
  down) down ;;
  watch)
    while kill -0 "$3" 2>/dev/null; do sleep 1; done
    down
    ;;
esac
