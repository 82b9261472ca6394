# Images, chart and cluster. TAG names the images; the cluster is the one KUBECONFIG names.

TAG ?= dev
NAMESPACE ?= celeriac
CHART := charts/celeriac
REVISION := $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
SERVICES := api worker scheduler flower
IMAGES := $(SERVICES:%=celeriac-%) celeriac-cookbook sample-reports

# What builds an image and what brings it to the cluster's nodes: any commands that take the same words.
BUILD ?= docker build
LOAD ?= kind load docker-image --name celeriac
IMAGE_SIZES ?= docker images | grep -E 'celeriac-|sample-reports'

need = @command -v $(1) >/dev/null || { echo "$(1) is missing: $(2)"; exit 1; }

##@ Chart and cluster
.PHONY: test-chart
test-chart: setup ## Lint and render every shape of the chart, check it, run its alerts' unit tests
	$(call need,helm,see https://helm.sh/docs/intro/install)
	$(call need,shellcheck,Debian: apt install shellcheck)
	$(call need,promtool,Debian: apt install prometheus)
	shellcheck -x -P SCRIPTDIR $(CHART)/files/redis/*.sh
	for values in $(CHART)/ci/*-values.yaml; do helm lint --strict --quiet $(CHART) --values $$values; done
	$(BIN)/pytest tests/chart $(ARGS)

.PHONY: package
package: test-chart ## Pack the chart into dist/
	helm package $(CHART) --destination dist

.PHONY: kind-up
kind-up: ## Make a kind cluster with KEDA and Prometheus
	$(call need,kind,see https://kind.sigs.k8s.io)
	kind create cluster --config k8s/kind.yaml
	helm upgrade --install keda keda --repo https://kedacore.github.io/charts \
	  --namespace keda --create-namespace --values k8s/keda-values.yaml
	helm upgrade --install monitoring kube-prometheus-stack --repo https://prometheus-community.github.io/helm-charts \
	  --namespace monitoring --create-namespace --values k8s/prometheus-values.yaml

.PHONY: images
images: ## Build all images and print their sizes; BUILD="podman build" takes another builder
	for name in $(SERVICES); do \
	  $(BUILD) --tag celeriac-$$name:$(TAG) --build-arg REVISION=$(REVISION) --file services/$$name/Dockerfile .; \
	done
	$(BUILD) --tag celeriac-cookbook:$(TAG) --build-arg WORKER=celeriac-worker:$(TAG) --file examples/cookbook/Dockerfile .
	$(BUILD) --tag sample-reports:$(TAG) k8s/sample-project
	@$(IMAGE_SIZES)

.PHONY: load
load: ## Bring the images to the cluster's nodes; LOAD="…" takes another loader
	for name in $(IMAGES); do $(LOAD) $$name:$(TAG); done

.PHONY: install
install: ## Install the chart as a laptop wants it, with the sample project's group; wait until it is ready
	kubectl create namespace $(NAMESPACE) --dry-run=client --output yaml | kubectl apply --filename -
	kubectl apply --namespace $(NAMESPACE) --filename k8s/dev-secrets.yaml
	helm upgrade --install celeriac $(CHART) --namespace $(NAMESPACE) --wait --set image.tag=$(TAG) \
	  --values k8s/dev-values.yaml --values k8s/sample-project/values.yaml

.PHONY: test-e2e
test-e2e: setup ## Install, use and break the chart on the cluster that KUBECONFIG names
	$(BIN)/pytest tests/e2e --ignore tests/e2e/drills --durations 0 -s --timeout 600 $(ARGS)

.PHONY: drills
drills: setup ## Faults under load on that cluster, with figures; RUNS=2000 is the load of each
	$(BIN)/pytest tests/e2e/drills --durations 0 -s --timeout 600 $(ARGS)
