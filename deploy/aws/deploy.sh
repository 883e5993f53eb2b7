#!/usr/bin/env bash
# Brings an installed stack to an image: deploy/aws/deploy.sh STACK IMAGE@sha256:DIGEST
# Runs stand still while the databases are migrated by the new image, as the old code must not run on the new tables; the
# old site goes on. Where the new one does not come up, ECS gives up and CloudFormation goes back to the old one; the
# databases stay migrated. What else is new in the template comes with the first step, to tasks of the old image: where
# that cannot be, deploy the template by itself beforehand.
set -euo pipefail

stack=$1 image=$2
template=$(dirname "$0")/warehouse.yaml

update() { # NAME=VALUE of each parameter that changes
    aws cloudformation deploy --stack-name "$stack" --template-file "$template" --capabilities CAPABILITY_IAM \
        --no-fail-on-empty-changeset --parameter-overrides "$@"
}

output() { # NAME
    aws cloudformation describe-stacks --stack-name "$stack" --output text \
        --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"
}

# fail WHAT: let the runs of the old image go on
fail() {
    echo "error: $1; see the log group $(output Log)" >&2
    update Runs=yes
    exit 1
}

# The tasks of runs and of their worker, whatever release of their definition they are of.
at_work() {
    local family
    family=$(output LoaderTask)
    family=${family##*/}
    aws ecs list-tasks --cluster "$cluster" --family "${family%:*}" --output text --query 'length(taskArns)'
}

update MigrateImage="$image" Runs=no
cluster=$(output Cluster)
for ((minute = 0; $(at_work) > 0; minute++)); do
    [ "$minute" -lt 60 ] || fail "runs are still at work after an hour: nothing was migrated"
    sleep 60
done
task=$(aws ecs run-task --cluster "$cluster" --task-definition "$(output MigrateTask)" --launch-type FARGATE \
    --network-configuration "$(output TaskNetwork)" --output text --query 'tasks[0].taskArn')
for _ in 1 2 3 4 5 6; do # aws waits ten minutes at a time
    if aws ecs wait tasks-stopped --cluster "$cluster" --tasks "$task"; then break; fi
done
code=$(aws ecs describe-tasks --cluster "$cluster" --tasks "$task" --output text --query 'tasks[0].containers[0].exitCode')
[ "$code" = 0 ] || # None where it never started or has not ended
    fail "the task that prepares the databases, $task, ended with ${code:-None}: the services have the old image"
update Image="$image" Runs=yes
aws ecs wait services-stable --cluster "$cluster" --services "$(output WebService)" "$(output WorkerService)"
