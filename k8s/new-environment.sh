#!/bin/sh
# make env NAME=uat: a new overlay and its Argo CD application, from k8s/templates.
set -eu
cd "$(dirname "$0")"
refuse() { echo "$*" >&2; exit 1; }

name="${1:-}"
[ -n "$name" ] || refuse "Which environment? make env NAME=uat"
case "$name" in
    *[!a-z0-9-]* | [!a-z]* | *-) refuse "$name: lower-case letters, digits and dashes, a letter first (it becomes the namespace nexus-$name)" ;;
esac
[ ${#name} -le 40 ] || refuse "$name: at most 40 characters"
overlay="overlays/$name"
application="argocd/environments/$name.yaml"
[ ! -e "$overlay" ] && [ ! -e "$application" ] || refuse "$name is there already: k8s/$overlay, k8s/$application"

mkdir "$overlay"
for template in templates/overlay/*; do
    sed "s/@NAME@/$name/g" "$template" >"$overlay/${template##*/}"
done
sed "s/@NAME@/$name/g" templates/application.yaml >"$application"
echo "  - $name.yaml" >>argocd/environments/kustomization.yaml
echo "Written: k8s/$overlay, k8s/$application. Look at both, then commit."
