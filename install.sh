#!/usr/bin/env bash
# Install claudiad as a service of this computer, or bring an installed one up to date.
#
#   sudo ./install.sh                   the system's service, started now and at every boot
#   sudo ./install.sh --robot eth0      also the SDK of the Go2 on that network interface, and a configuration for it
#   sudo ./install.sh --models small    also fetch speech models (claudiad models lists them), separated by commas
#   sudo ./install.sh --headless        no desktop at boot: about 800 MB more for models
#   ./install.sh --user                 a service of your session instead, with its PipeWire; without root
#   sudo ./install.sh --uninstall       removes it; settings and what it has learned stay
#   sudo ./install.sh --uninstall --purge    those too
#
#   --wheels DIR   no internet: everything from packages that scripts/wheels put there on another computer
#   --dry-run      say what would be done, and do nothing
#
# DESTDIR=/some/folder installs below that folder, for a package: no user is made and nothing is started.
# PYTHON=/path names the interpreter (3.11 or later); otherwise the system's, or one from its packages.
#
# Run it again at any time. What is the same is left alone; settings are never overwritten. A new version that does not
# become ready is taken back. docs/operating.md says what goes where.
#
# Exit statuses: 0 done · 1 not ready (an upgrade was taken back) · 64 wrong command line · 69 something cannot be had
# 77 not root · 78 the new version refuses the settings there are
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() { # die STATUS WORDS…
    local status=$1
    shift
    warn "install.sh: $*"
    exit "$status"
}
usage() { sed -n '2,/^set -e/s/^# \{0,1\}//p' install.sh | sed '$d'; }

interface="" user=false headless=false wheels="" models="" dry=false uninstall=false purge=false
wrong() { die 64 "$*; ./install.sh --help"; }
while (($#)); do
    case $1 in
        --robot | --wheels | --models)
            [[ -n ${2:-} && $2 != -* ]] || wrong "$1 needs a value"
            case $1 in
                --robot) interface=$2 ;;
                --wheels) wheels=$2 ;;
                --models) models=$2 ;;
            esac
            shift
            ;;
        --user) user=true ;;
        --headless) headless=true ;;
        --dry-run) dry=true ;;
        --uninstall) uninstall=true ;;
        --purge) purge=true ;;
        -h | --help) usage && exit 0 ;;
        *) wrong "$1: unknown" ;;
    esac
    shift
done
if $purge && ! $uninstall; then wrong "--purge belongs to --uninstall"; fi
if $user && $headless; then wrong "--headless is for the system's service"; fi
[[ $interface =~ ^[[:alnum:]_.:@-]*$ ]] || wrong "--robot $interface: not the name of a network interface"
if [[ -n $wheels ]]; then
    compgen -G "$wheels/claudiad-*.whl" >/dev/null || die 69 "--wheels $wheels: no claudiad-*.whl in it; scripts/wheels makes it"
    wheels=$(readlink -f "$wheels")
fi
destdir=${DESTDIR:-}
live=true # whether this system's manager is told
if [[ -n $destdir ]]; then
    live=false
    mkdir -p "$destdir"
    destdir=$(readlink -f "$destdir")
fi

if $user; then
    home=${HOME:?} data=${XDG_DATA_HOME:-$HOME/.local/share} account=""
    [[ $data == "$home/.local/share" || $data =~ ^/[^][:space:]\"\'\\\|\;\&%$]*$ ]] \
        || die 64 "XDG_DATA_HOME=$data: not a folder that a unit can name"
    root=$data/claudia units=$data/systemd/user bin=$home/.local/bin share=$data
    settings=${XDG_CONFIG_HOME:-$home/.config}/claudia
    manager=(systemctl --user)
else
    root=/opt/claudia units=/usr/local/lib/systemd/system bin=/usr/local/bin share=/usr/local/share
    settings=/etc/claudia account=claudia
    manager=(systemctl)
    if $live && ! $dry && ((EUID != 0)); then die 77 "this needs root: sudo ./install.sh (or --user, without root)"; fi
fi
site=/etc/systemd/system/claudiad.service.d # drop-ins that are written for this computer
manifest=$root/installed-files

# Everything that changes the system goes through one of these.
act() { if $dry; then say "would: $*"; else "$@"; fi; }
put() { # put MODE SOURCE DESTINATION: a file, known to --uninstall
    printf '%s\n' "$3" >>"$new_manifest"
    if [[ -L $destdir$3 ]] || ! cmp -s "$2" "$destdir$3"; then
        printf '%s\n' "$3" >>"$work/changed"
        act install -D -m "$1" "$2" "$destdir$3"
    fi
}
put_text() { # put_text DESTINATION: from standard input
    local text
    text=$(mktemp "$work/text.XXXX")
    cat >"$text"
    put 644 "$text" "$1"
}
link() { # link TARGET DESTINATION: at once, whatever was there
    act mkdir -p "$destdir$(dirname "$2")"
    act ln -sfn "$1" "$destdir$2.new"
    act mv -Tf "$destdir$2.new" "$destdir$2"
}
tell() { if $live; then act "${manager[@]}" "$@"; fi; } # the service manager

work=$(mktemp -d)
new_manifest=$work/installed-files
: >"$work/changed" # the files that were not as they are now
unfinished=""
cleanup() {
    rm -rf "$work"
    [[ -z $unfinished ]] || rm -rf "$unfinished"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

as_daemon() { # with the user and the folders of the service
    if $user; then
        CLAUDIA_CONFIG=$settings/claudiad.toml "$@"
    else
        runuser -u "$account" -G audio -- env -C / HOME=/var/lib/claudia XDG_DATA_HOME=/var/lib XDG_STATE_HOME=/var/lib \
            XDG_CACHE_HOME=/var/cache/claudia HF_HOME=/var/cache/claudia/huggingface "$@"
    fi
}

# --- taking it away -------------------------------------------------------------------------------------------------

remove_listed() { # remove_listed LIST: the files in it, and the folders that are empty then
    local file folder
    while IFS= read -r file; do
        [[ -e $destdir$file || -L $destdir$file ]] || continue
        act rm -f "$destdir$file"
        folder=$(dirname "$file")
        case $folder in
            *.d | */systemd/* | */man[1-8] | */completions | */site-functions)
                $dry || rmdir "$destdir$folder" "$destdir$(dirname "$folder")" 2>/dev/null || true
                ;;
        esac
    done <"$1"
}

if $uninstall; then
    [[ -e $destdir$manifest || -d $destdir$root/releases ]] || say "claudiad is not installed here"
    if $live && "${manager[@]}" cat claudiad.service >/dev/null 2>&1; then
        if ! $user; then tell disable --quiet --now claudiad.target claudiad-go2sim.service claudia-performance.service; fi
        tell disable --quiet --now claudiad.service
        tell reset-failed claudiad.service 2>/dev/null || true
    fi
    if [[ -e $destdir$manifest ]]; then remove_listed "$destdir$manifest"; fi
    act rm -rf "$destdir$root/releases" "$destdir$root/current" "$destdir$manifest"
    if ! $user; then
        act rm -rf "$destdir/opt/claudia" "$destdir/var/cache/claudia"
        if $live; then
            tell daemon-reload
            act journalctl --update-catalog
        fi
        if $purge; then
            act rm -rf "$destdir/etc/claudia" "$destdir/var/lib/claudia" "$destdir$site"
            if $live && getent passwd claudia >/dev/null; then act userdel claudia; fi
            if $live && getent group claudia >/dev/null; then act groupdel claudia; fi
        else
            say "kept: /etc/claudia, /var/lib/claudia and the user they belong to (--uninstall --purge removes them)"
        fi
    else
        tell daemon-reload
        $dry || rmdir "$root" 2>/dev/null || true
        if $purge; then
            act rm -rf "$settings" "$root" "${XDG_STATE_HOME:-$home/.local/state}/claudia"
        else
            say "kept: $settings, $root and ${XDG_STATE_HOME:-$home/.local/state}/claudia (--uninstall --purge removes them)"
        fi
    fi
    say "claudiad is uninstalled."
    exit 0
fi

# --- what it needs --------------------------------------------------------------------------------------------------

systemd=$(systemctl --version 2>/dev/null | sed -nE '1s/^systemd ([0-9]+).*/\1/p')
if $live; then
    [[ -n $systemd ]] || die 69 "no systemd here; the Makefile runs claudiad without it (make demo)"
    ((systemd >= 245)) || die 69 "systemd $systemd is too old: 245 is the first that can run it"
fi

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
reachable() { # ProtectHome=yes in the unit closes homes, root's among them, whatever their modes are
    $user || [[ ! $(readlink -f "$1") =~ ^/(home|root)/ ]]
}

find_python() {
    local each
    if [[ -n ${PYTHON:-} ]]; then
        each=$(command -v "$PYTHON" || true)
        new_enough "$each" || die 69 "PYTHON=$PYTHON is not a Python 3.11 or later"
        reachable "$each" || die 69 "PYTHON=$PYTHON is in a home, where the service's user cannot run it"
        python=$each
        return
    fi
    for each in /usr/bin/python3 /usr/bin/python3.1{3,2,1} /usr/local/bin/python3{,.13,.12,.11}; do
        if [[ -x $each ]] && reachable "$each" && new_enough "$each"; then
            python=$each
            return
        fi
    done
    return 1
}

apt_has() { LC_ALL=C apt-cache policy "$1" 2>/dev/null | grep -qE '^ *Candidate: [0-9]'; }

fetch_python() { # from the distribution's packages; Ubuntu 22.04 and JetPack 6 have 3.11 in "universe"
    local each
    command -v apt-get >/dev/null || return 1
    act apt-get -q update >/dev/null || true
    for each in python3.12 python3.11; do
        if apt_has "$each" && apt_has "$each-venv"; then
            say "this system's own Python is too old; installing $each beside it …"
            act env DEBIAN_FRONTEND=noninteractive apt-get -q -y install "$each" "$each-venv" "$each-dev" >"$work/apt" 2>&1 || {
                tail -n 15 "$work/apt" >&2
                return 1
            }
            if $dry; then python=/usr/bin/$each; else find_python; fi
            return
        fi
    done
    return 1
}

python=""
find_python || fetch_python || die 69 "no Python 3.11 or later, neither here nor among this system's packages; \
install one outside of the homes and name it: PYTHON=/path/to/python3 ./install.sh"
act env PYTHON="$python" scripts/system-packages venv
act scripts/system-packages demo

# --- the program, in a folder of its own for each version -----------------------------------------------------------

releases=$destdir$root/releases
old=""
if [[ -L $destdir$root/current ]]; then old=$(basename "$(readlink "$destdir$root/current")"); fi

# The SDK stays once it was asked for.
robot=false
if [[ -n $interface ]] || { [[ -n $old ]] && [[ -e $releases/$old/share/claudia/robot ]]; }; then robot=true; fi

# What the settings want from outside of this computer: `cloud`, and the host of an Ollama elsewhere. One a line.
elsewhere() {
    [[ -e $destdir$settings/claudiad.toml ]] || return 0
    "$python" - "$destdir$settings/claudiad.toml" <<'PY'
import sys, tomllib
from urllib.parse import urlsplit

try:
    with open(sys.argv[1], "rb") as file:
        settings = tomllib.load(file)
    if settings.get("cloud", {}).get("enabled"):
        print("cloud")
    host = settings.get("llm", {}).get("host", "")
    name = urlsplit(host if "://" in host else f"//{host}").hostname or ""
    if name and name not in ("localhost", "::1") and not name.startswith("127."):
        print(name)
except (OSError, ValueError, AttributeError, TypeError):
    pass  # check-config says what is wrong with it
PY
}
extras=""
if elsewhere | grep -qx cloud; then extras="[cloud]"; fi

identity() { # what the release is made of; the same again is not built again
    if [[ -n $wheels ]]; then
        sha256sum "$wheels"/claudiad-*.whl
    else
        find claudiad voices modelfiles -type f ! -name '*.pyc' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
        sha256sum pyproject.toml
    fi
    find systemd man completion -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
    sha256sum install.sh
    printf '%s\n' "$robot$extras $(readlink -f "$python") $("$python" --version)"
}

pip_install() { # pip_install PYTHON REQUIREMENT…
    local interpreter=$1
    shift
    if ! "$interpreter" -m pip install --disable-pip-version-check --no-input --progress-bar off "$@" \
        >"$work/pip" 2>&1 </dev/null; then
        grep -vE '^ *(Downloading|Collecting|Using cached|Requirement already|Processing|Looking)' "$work/pip" | tail -n 20 >&2
        die 69 "pip could not install it, see above"
    fi
}

build() { # build N: the release in releases/N, complete with the files that activate puts into the system
    local folder=$releases/$1 kept=$releases/$1/share/claudia what=$PWD
    unfinished=$folder
    say "installing claudiad into $root/releases/$1 …"
    mkdir -p "$releases"
    "$python" -m venv "$folder"
    if [[ -n $wheels ]]; then
        # For scripts/robot-sdk, too, and for what it builds.
        export PIP_NO_INDEX=1 PIP_FIND_LINKS=$wheels
        what=claudiad
    fi
    pip_install "$folder/bin/python" "$what$extras"
    mkdir -p "$kept"
    cp -r systemd man completion "$kept/"
    cp install.sh "$kept/install.sh"
    install -m 755 systemd/announce-failure "$kept/announce-failure"
    if $robot; then
        VENV=$folder scripts/robot-sdk || die 69 "the Go2 SDK cannot be had (docs/go2.md); without --robot it works with the simulator"
        touch "$kept/robot"
    fi
    if [[ -n $destdir ]]; then
        # What pip writes names the folder it is in now.
        grep -rlI --null -F "$destdir" "$folder/bin" "$folder/pyvenv.cfg" | xargs -0 -r sed -i "s|$destdir||g"
        "$python" -m compileall -q -f -j 0 -s "$destdir" "$folder/lib" || true
    fi
    chmod -R go+rX,go-w "$folder"
    identity | sha256sum >"$kept/identity"
    unfinished=""
}

release=1
while [[ -e $releases/$release ]]; do release=$((release + 1)); done
if [[ -n $old ]] && identity | sha256sum | cmp -s - "$releases/$old/share/claudia/identity"; then
    release=$old
    say "claudiad is up to date in $root/releases/$old"
elif $dry; then
    say "would: build $root/releases/$release with $python${wheels:+ from $wheels}$(if $robot; then echo ', with the Go2 SDK'; fi)"
else
    build "$release"
fi
program_folder=$releases/$release/bin
program=$program_folder/claudiad

# Settings that the new version does not accept: found before anything is changed.
if [[ -e $destdir$settings/claudiad.toml ]] && ! $dry; then
    status=0
    PYTHONDONTWRITEBYTECODE=1 "$program" check-config "$destdir$settings/claudiad.toml" >/dev/null || status=$?
    if ((status)); then
        [[ $release == "$old" ]] || rm -rf "${releases:?}/$release"
        ((status == 78)) || die 1 "the new version does not run here, see above; nothing was changed"
        die 78 "the settings have a fault, see above; nothing was changed"
    fi
fi

# --- the files around it --------------------------------------------------------------------------------------------

has_gpu() { compgen -G '/dev/nvidiactl' >/dev/null || [[ -e /dev/nvmap ]]; }
has_ollama() { $live && systemctl cat ollama.service >/dev/null 2>&1; }
memory_gb() { awk '/^MemTotal/ { print int($2 / 1000000) }' /proc/meminfo; }

with_groups_here() { # 70-cuda.conf without the groups this system does not have
    local line
    while IFS= read -r line; do
        [[ $line == SupplementaryGroups=* ]] && ! getent group "${line#*=}" >/dev/null && continue
        printf '%s\n' "$line"
    done
}

in_data_home() { # the session's unit, with $root where it has the default
    if [[ $data == "$home/.local/share" ]]; then cat; else sed "s|%h/.local/share/claudia|$root|g"; fi
}

robot_network() { # the network of --robot, when it is not the Go2's usual one
    ip -o -4 address show dev "$interface" 2>/dev/null | "$python" -c '
import ipaddress, sys
for line in sys.stdin:
    network = ipaddress.ip_interface(line.split()[3]).network
    if not network.is_loopback and not network.subnet_of(ipaddress.ip_network("192.168.123.0/24")):
        print(f"IPAddressAllow={network}")'
}

allow() { # allow HOST|cloud: through the sandbox, by the daemon's own tool; once
    if grep -qsF "\`claudiactl allow $1\`" "$site"/60-allow-*.conf; then return; fi
    if act "$program_folder/python" -m claudiad.app.claudiactl allow "$1" >"$work/allowed"; then
        if $dry; then cat "$work/allowed"; else say "the settings want it: $1 is let through the sandbox"; fi
        printf '%s\n' "$site/60-allow-$1.conf" >>"$work/changed"
    else
        warn "$1 stays out of reach of the daemon until: sudo claudiactl allow $1"
    fi
}

activate() { # activate N: its files into the system, and `current` to it. The way back is the same.
    local from=$destdir$root/releases/$1/share/claudia each name networks
    if $dry && [[ ! -d $from ]]; then from=$PWD; fi # as a release has them
    : >"$new_manifest"
    if $user; then
        in_data_home <"$from/systemd/user/claudiad.service" | put_text "$units/claudiad.service"
    else
        for each in "$from"/systemd/*.service "$from"/systemd/*.target; do put 644 "$each" "$units/${each##*/}"; done
        if ! $live || ((systemd >= 254)); then
            put 644 "$from/systemd/claudiad.service.d/60-systemd-254.conf" "$units/claudiad.service.d/60-systemd-254.conf"
        fi
        if has_gpu; then
            with_groups_here <"$from/systemd/claudiad.service.d/70-cuda.conf" | put_text "$units/claudiad.service.d/70-cuda.conf"
        fi
        if has_ollama; then
            sed "s/^\(Environment=OLLAMA_MAX_LOADED_MODELS=\).*/\1$(($(memory_gb) < 12 ? 1 : 2))/" \
                "$from/systemd/ollama.service.d/50-claudia.conf" | put_text "$units/ollama.service.d/50-claudia.conf"
        fi
        put 644 "$from/systemd/claudia.sysusers" /usr/local/lib/sysusers.d/claudia.conf
        put 644 "$from/systemd/claudia.tmpfiles" /usr/local/lib/tmpfiles.d/claudia.conf
        put 644 "$from/systemd/claudia.preset" /usr/local/lib/systemd/system-preset/50-claudia.preset
        each=$(compgen -G "$destdir$root/releases/$1/lib/python*/site-packages/claudiad/data/claudiad.catalog" || true)
        if [[ -n $each ]]; then put 644 "$each" /usr/local/lib/systemd/catalog/claudiad.catalog; fi
        if [[ -n $interface ]] && $live; then
            networks=$(robot_network)
            if [[ -n $networks ]]; then
                printf '# The network of %s, where the robot is: install.sh --robot %s\n[Service]\n%s\n' \
                    "$interface" "$interface" "$networks" | put_text "$site/50-robot.conf"
            fi
        fi
        if $live; then
            for each in $(elsewhere); do allow "$each"; done
        fi
        # Written earlier, by this or by `claudiactl allow`: stays, and goes with --uninstall.
        for each in "$destdir$site"/50-robot.conf "$destdir$site"/60-allow-*.conf; do
            if [[ -e $each ]]; then printf '%s\n' "${each#"$destdir"}" >>"$new_manifest"; fi
        done
        # An older systemd wants the file there, a newer one finds it by itself (60-systemd-254.conf).
        if $live && ((systemd >= 247 && systemd < 254)) && [[ -e /etc/credstore/anthropic-key ]]; then
            printf '[Service]\nLoadCredential=anthropic-key:/etc/credstore/anthropic-key\n' | put_text "$site/50-key.conf"
        fi
    fi
    for each in "$from"/man/*.[1-8]; do [[ ! -e $each ]] || put 644 "$each" "$share/man/man${each##*.}/${each##*/}"; done
    for each in "$from"/completion/*; do
        name=${each##*/}
        case $name in
            *.bash) put 644 "$each" "$share/bash-completion/completions/${name%.bash}" ;;
            _*) put 644 "$each" "$share/zsh/site-functions/$name" ;;
        esac
    done
    for name in claudiad claudiactl claudiad-go2sim; do
        if [[ -x $destdir$root/releases/$1/bin/$name ]] || $dry; then
            link "$root/current/bin/$name" "$bin/$name"
            printf '%s\n' "$bin/$name" >>"$new_manifest"
        fi
    done
    link "releases/$1" "$root/current"
    if [[ -e $destdir$manifest ]]; then
        LC_ALL=C comm -23 <(LC_ALL=C sort -u "$destdir$manifest") <(LC_ALL=C sort -u "$new_manifest") >"$work/obsolete"
        remove_listed "$work/obsolete"
    fi
    act install -D -m 644 "$new_manifest" "$destdir$manifest"
    if $live && ! $user; then
        act systemd-sysusers /usr/local/lib/sysusers.d/claudia.conf
        act systemd-tmpfiles --create /usr/local/lib/tmpfiles.d/claudia.conf
        act journalctl --update-catalog
    fi
    tell daemon-reload
}

was_active=false
if $live && "${manager[@]}" --quiet is-active claudiad.service; then was_active=true; fi
activate "$release"

if [[ ! -e $destdir$settings/claudiad.toml ]]; then
    # Each setting as a comment: what is not changed follows the defaults of the version that runs.
    sed -E 's/^([a-z_]+ = )/#\1/' claudiad.example.toml >"$work/claudiad.toml" 2>/dev/null \
        || "$program" check-config --example | sed -E 's/^([a-z_]+ = )/#\1/' >"$work/claudiad.toml"
    if [[ -n $interface ]]; then
        sed -i -E "/^\[robot\]/,/^\[/{s/^#engine = .*/engine = \"go2\"/;s/^#interface = .*/interface = \"$interface\"/}" \
            "$work/claudiad.toml"
    fi
    act install -D -m 644 "$work/claudiad.toml" "$destdir$settings/claudiad.toml"
elif [[ -n $interface ]] && ! grep -qE "^interface = \"$interface\"" "$destdir$settings/claudiad.toml"; then
    say "the settings are yours and stay as they are; for the robot, in $settings/claudiad.toml under [robot]:"
    say "  engine = \"go2\""
    say "  interface = \"$interface\""
fi

if ! $live; then
    say "claudiad is in $destdir; the package's own scripts run sysusers, tmpfiles, catalog and presets."
    exit 0
fi

if ! $user && [[ -n ${SUDO_USER:-} && $SUDO_USER != root ]] && ! id -nG "$SUDO_USER" | grep -qw claudia; then
    act usermod --append --groups claudia "$SUDO_USER"
    say "$SUDO_USER may command the daemon from the next login on (group claudia)"
fi
for each in ${models//,/ }; do act as_daemon "$program" models fetch "$each" || die 69 "model $each: see above"; done
if $headless && [[ $(systemctl get-default) != multi-user.target ]]; then
    act systemctl set-default multi-user.target
    say "the desktop is left out from the next boot on; back: sudo systemctl set-default graphical.target"
fi

# --- does it become ready? ------------------------------------------------------------------------------------------

start() {
    act "${manager[@]}" restart claudiad.service || return
    if ! $user; then act systemctl start claudiad.target; fi
}
show_why() { "${manager[@]}" status --no-pager --full --lines=15 claudiad.service >&2 || true; }

if [[ -z $old ]]; then
    if $user; then
        me=$(id -un)
        [[ -e /var/lib/systemd/linger/$me ]] || act loginctl enable-linger "$me" \
            || warn "without lingering it ends when you log out: sudo loginctl enable-linger $me"
        # By its path: the manager may have been started without this $XDG_DATA_HOME, and then gets a link to it.
        tell enable --quiet "$units/claudiad.service"
    else
        tell preset --quiet claudiad.service claudiad.target
    fi
fi
if grep -q '/ollama\.service\.d/' "$work/changed"; then act systemctl try-restart ollama.service; fi
if [[ -n $old ]] && ! $was_active; then
    say "it was not running, and is not started: ${manager[*]} start claudiad"
elif [[ $release == "$old" ]] && ! grep -q '/claudiad\.service' "$work/changed"; then
    say "it is running, and goes on"
elif ! start; then
    show_why
    [[ -n $old && $old != "$release" ]] || die 1 "claudiad did not become ready, see above; claudiad doctor says what is missing"
    warn "the new version did not become ready: going back to $root/releases/$old"
    activate "$old"
    "${manager[@]}" reset-failed claudiad.service || true
    rm -rf "${releases:?}/$release"
    start || die 1 "and the old version does not become ready any more either, see above"
    die 1 "the old version runs again; what was new did not work, see above"
fi

# The one that runs and the one before it; a way back by hand is: ln -sfn releases/N /opt/claudia/current
if ! $dry && [[ $release != "$old" ]]; then
    for each in "$releases"/*; do
        case ${each##*/} in "$release" | "$old") ;; *) rm -rf "$each" ;; esac
    done
fi

if $dry; then
    say "nothing was done."
    exit 0
fi
say ""
as_daemon timeout 120 "$program" doctor || say "what is missing above has its remedy beside it; everything else works without it."
say ""
say "claudiad is installed. Next:"
if $user; then
    say "  systemctl --user status claudiad     journalctl --user -u claudiad -f"
else
    say "  systemctl status claudiad            journalctl -u claudiad -f"
fi
say "  $settings/claudiad.toml   every setting, explained"
if $robot; then say "Give the robot room and keep its remote control at hand. docs/go2.md says which Go2 can be commanded."; fi
