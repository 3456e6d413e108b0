#!/bin/sh
# make pin-images ENV=prod REGISTRY=registry.example.com/: writes which images an environment runs, by digest. Ours are
# looked up in that registry, those of others where they are; each is asked for by the version that the manifests name.
set -eu
cd "$(dirname "$0")"
refuse() { echo "$*" >&2; exit 1; }

environment="${1:-}"
registry="${2:-}"
pinned="overlays/$environment/images/kustomization.yaml"
[ -n "$environment" ] && [ -e "$pinned" ] || refuse "Which environment? One that has a folder images: make pin-images ENV=prod REGISTRY=…"
case "$registry" in */) ;; *) refuse "REGISTRY must name a registry and end with a slash: registry.example.com/" ;; esac

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' ../pyproject.toml | head -n 1)
before=$(mktemp)
cp "$pinned" "$before"
trap 'cp "$before" "$pinned"; rm -f "$before"' EXIT
trap 'exit 1' INT TERM
head=$(sed '/^images:/,$d' "$pinned")
printf '%s\nimages: []\n' "$head" >"$pinned" # nothing pinned: the manifests name versions then

rendered=$(../.nexus/tools/bin/kubectl kustomize "overlays/$environment") || refuse "overlays/$environment does not render (see above)"
lines=""
for image in $(echo "$rendered" | sed -n 's/^ *-\{0,1\} *image: *\([^ ]*\)$/\1/p' | sort -u); do
    case "$image" in
        */nexus/* | nexus/*)
            name="nexus/$(echo "${image##*/}" | sed 's/:.*//')"
            reference="$registry$name:$version"
            ;;
        *{{*) continue ;;       # a parameter of a workflow, which names one of ours
        milvusdb/*) continue ;; # the operator's object names it, where kustomize does not look for images
        *) name="${image%:*}" reference="$image" ;;
    esac
    digest=$(docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$reference") || refuse "$reference is not to be had"
    case "$digest" in sha256:*) ;; *) refuse "$reference has no digest: $digest" ;; esac
    lines="$lines  - {name: $name, newName: ${reference%:*}, digest: \"$digest\"}
"
done
[ -n "$lines" ] || refuse "overlays/$environment names no image"
printf '%s\nimages:\n%s' "$head" "$lines" >"$before"
echo "Written: k8s/$pinned. Look at it, then commit."
